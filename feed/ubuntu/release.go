package ubuntu

import "strings"

// numbers of releases by codename, from distro-info-data of 2026; those with long term support end in ":LTS", as OSV has it.
var numbers = map[string]string{
	"dapper": "6.06:LTS", "edgy": "6.10", "feisty": "7.04", "gutsy": "7.10", "hardy": "8.04:LTS", "intrepid": "8.10", "jaunty": "9.04", "karmic": "9.10",
	"lucid": "10.04:LTS", "maverick": "10.10", "natty": "11.04", "oneiric": "11.10", "precise": "12.04:LTS", "quantal": "12.10", "raring": "13.04",
	"saucy": "13.10", "trusty": "14.04:LTS", "utopic": "14.10", "vivid": "15.04", "wily": "15.10", "xenial": "16.04:LTS", "yakkety": "16.10",
	"zesty": "17.04", "artful": "17.10", "bionic": "18.04:LTS", "cosmic": "18.10", "disco": "19.04", "eoan": "19.10", "focal": "20.04:LTS",
	"groovy": "20.10", "hirsute": "21.04", "impish": "21.10", "jammy": "22.04:LTS", "kinetic": "22.10", "lunar": "23.04", "mantic": "23.10",
	"noble": "24.04:LTS", "oracular": "24.10", "plucky": "25.04", "questing": "25.10", "resolute": "26.04:LTS",
}

// channels are streams of fixes beside the release's own, as the tracker and OSV call them. Others are of other products: snaps, ROS,
// kernels for one board.
var channels = map[string]string{
	"esm": "Pro:", "esm-infra": "Pro:", "esm-apps": "Pro:", "esm-infra-legacy": "Pro:", "esm-apps-legacy": "Pro:",
	"fips": "Pro:FIPS:", "fips-updates": "Pro:FIPS-updates:", "fips-preview": "Pro:FIPS-preview:", "realtime": "Pro:Realtime:",
}

// place is what a verdict is about.
type place struct {
	codename string // "jammy"
	channel  string // "esm-infra"; "" for the release itself
}

// placeOf reads "jammy", "ubuntu/jammy", "esm-infra/xenial" and "trusty/esm"; false for what is no release of Ubuntu: "upstream",
// "devel", "snap", "product".
func placeOf(release string) (place, bool) {
	first, second, two := strings.Cut(release, "/")
	p := place{codename: first}
	switch {
	case two && first == "ubuntu":
		p = place{codename: second}
	case two && second == "esm":
		p = place{codename: first, channel: "esm"}
	case two:
		p = place{codename: second, channel: first}
	}
	if p.channel != "" && channels[p.channel] == "" {
		return place{}, false
	}
	return p, numbers[p.codename] != ""
}

// ecosystem is OSV's name: "Ubuntu:22.04:LTS", "Ubuntu:Pro:18.04:LTS".
func (p place) ecosystem() string { return "Ubuntu:" + channels[p.channel] + numbers[p.codename] }

// isESM says whether a place is the release's own packages, supported for longer.
func (p place) isESM() bool { return channels[p.channel] == "Pro:" }
