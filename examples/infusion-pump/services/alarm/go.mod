module example.com/pump/alarm

go 1.17

require (
	github.com/eclipse/paho.mqtt.golang v1.3.5
	golang.org/x/net v0.0.0-20210226172049-e18ecbb05110 // indirect
)
