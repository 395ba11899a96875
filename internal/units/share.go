package units

import "fmt"

// Share writes n of total in per cent, rounded so that what is not all never reads as all, nor something as nothing.
func Share(n, total int64) string {
	x := 100 * float64(n) / float64(total)
	switch {
	case n == total:
		return "100 %"
	case x > 99.9:
		return ">99.9 %"
	case x < 0.1:
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", x)
}
