// Package units writes numbers as people read them.
//
// What comes in: a number. What goes out: a few characters with a unit. It never rounds up to a whole that is not one.
package units

import "fmt"

// Bytes writes a size with a binary unit: "3.0 MiB".
func Bytes(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/1024, 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}
