package csaf

import (
	"encoding/json"
	"fmt"
)

// CVSS is an object of the FIRST JSON schemas 2.0, 3.0, 3.1 and 4.0. Scores are nil and words "" when absent.
type CVSS struct {
	Version string
	Vector  string

	Base          *float64
	BaseSeverity  string // LOW, MEDIUM, ...; 2.0 has none
	Temporal      *float64
	Environmental *float64
	// Words are all other properties that are strings: "attackVector" is "NETWORK".
	Words map[string]string
	// Numbers are all other properties that are numbers.
	Numbers map[string]float64
	// Odd are properties of no kind that a CVSS object has; Shape objects to them.
	Odd map[string]json.RawMessage
}

// UnmarshalJSON reads the object.
func (c *CVSS) UnmarshalJSON(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	*c = CVSS{}
	for key, raw := range all {
		switch raw[0] {
		case '"':
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				return err
			}
			c.word(key, s)
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			var n float64
			if err := json.Unmarshal(raw, &n); err != nil {
				return fmt.Errorf("%.40s: %w", key, err)
			}
			c.number(key, n)
		default:
			if c.Odd == nil {
				c.Odd = map[string]json.RawMessage{}
			}
			c.Odd[key] = raw
		}
	}
	return nil
}

func (c *CVSS) word(key, s string) {
	switch key {
	case "version":
		c.Version = s
	case "vectorString":
		c.Vector = s
	case "baseSeverity":
		c.BaseSeverity = s
	default:
		if c.Words == nil {
			c.Words = map[string]string{}
		}
		c.Words[key] = s
	}
}

func (c *CVSS) number(key string, n float64) {
	switch key {
	case "baseScore":
		c.Base = &n
	case "temporalScore":
		c.Temporal = &n
	case "environmentalScore":
		c.Environmental = &n
	default:
		if c.Numbers == nil {
			c.Numbers = map[string]float64{}
		}
		c.Numbers[key] = n
	}
}

// MarshalJSON writes the object, keys in the order of the alphabet.
func (c CVSS) MarshalJSON() ([]byte, error) {
	all := map[string]any{}
	for k, v := range c.Odd {
		all[k] = v
	}
	for k, v := range c.Words {
		all[k] = v
	}
	for k, v := range c.Numbers {
		all[k] = v
	}
	for k, v := range map[string]string{"version": c.Version, "vectorString": c.Vector, "baseSeverity": c.BaseSeverity} {
		if v != "" {
			all[k] = v
		}
	}
	for k, v := range map[string]*float64{"baseScore": c.Base, "temporalScore": c.Temporal, "environmentalScore": c.Environmental} {
		if v != nil {
			all[k] = *v
		}
	}
	return json.Marshal(all)
}
