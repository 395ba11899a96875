package eco

import (
	"strings"
	"testing"
)

func TestProductName(t *testing.T) {
	for _, c := range []struct{ vendor, product, name, folded string }{
		{"Becton, Dickinson and Company (BD)", "Alaris 8015 PC unit", "becton, dickinson and company (bd):alaris 8015 pc unit", "becton dickinson:alaris 8015 pc unit"},
		{"BD", "BD Alaris™ 8015 PC Unit", "bd:bd alaris™ 8015 pc unit", "becton dickinson:alaris 8015 pc unit"},
		{"Baxter", "Baxter Spectrum IQ", "baxter:baxter spectrum iq", "baxter:spectrum iq"},
		{"Baxter Healthcare Corporation", "Spectrum IQ", "baxter healthcare corporation:spectrum iq", "baxter:spectrum iq"},
		{"Koninklijke Philips N.V.", "Patient Information Center iX (PIC iX)", "koninklijke philips n.v.:patient information center ix (pic ix)", "philips:patient information center ix"},
		{"B. Braun Melsungen AG", "Battery pack SP with WIFI", "b. braun melsungen ag:battery pack sp with wifi", "b braun:battery pack sp with wifi"},
		{"Össur hf.", "Logic", "össur hf.:logic", "ossur hf:logic"},
		{"Santesoft", "Sante  FFT\tImaging", "santesoft:sante fft imaging", "santesoft:sante fft imaging"},
		{"OFFIS e.V.", "DCMTK 3.6", "offis e.v.:dcmtk 3.6", "offis ev:dcmtk 3.6"},
		{"ACME: Devices GmbH & Co. KG", "ACME Devices", "acme devices gmbh & co. kg:acme devices", "acme devices:acme devices"},
		{"Inc", "(X)", "inc:(x)", "inc:x"},
	} {
		name := ProductName(c.vendor, c.product)
		if name != c.name {
			t.Errorf("ProductName(%q, %q): got %q, want %q", c.vendor, c.product, name, c.name)
		}
		folded := NormalizeName("Product", name)
		if folded != c.folded {
			t.Errorf("%q: got %q, want %q", name, folded, c.folded)
		}
		if again := NormalizeName("Product", folded); again != folded {
			t.Errorf("%q: folded again it is %q", folded, again)
		}
	}
}

// TestMakers: a name that stands for a maker stands for no other.
func TestMakers(t *testing.T) {
	for name, maker := range makers {
		if got := FoldVendor(name); got != maker {
			t.Errorf("%q: got %q, want %q", name, got, maker)
		}
		if got := FoldVendor(maker); got != maker {
			t.Errorf("%q becomes %q", maker, got)
		}
	}
}

func TestMayBeProduct(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"baxter:sigma spectrum", "baxter:sigma spectrum infusion pump", true},
		{"baxter:sigma spectrum infusion pump", "baxter:sigma spectrum", true},
		{"baxter:sigma spectrum", "baxter:spectrum iq", false},
		{"baxter:sigma spectrum", "philips:sigma spectrum", false},
		{"baxter:", "baxter:sigma spectrum", false},
		{":x", ":x y", false},
		{"sigma", "sigma", false},
	} {
		if got := MayBeProduct(c.a, c.b); got != c.want {
			t.Errorf("MayBeProduct(%q, %q): got %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func FuzzProduct(f *testing.F) {
	f.Add("Becton, Dickinson and Company (BD):Alaris™ 8015", "V4.3 SP1 Upd_2", "v4.3.8")
	f.Add("((((:))))", "BIOS_V1.0.212N", "A.02")
	f.Add("é:É", "8/30/2024", "1.0 rc1")
	f.Fuzz(func(t *testing.T, name, a, b string) {
		folded := foldProduct(name)
		if strings.ContainsAny(folded, "()®\x00") {
			t.Errorf("%q: folded is %q", name, folded)
		}
		ab, err := compareProduct(a, b)
		ba, err2 := compareProduct(b, a)
		if (err == nil) != (err2 == nil) || ab != -ba && (ab > 0) != (ba < 0) {
			t.Errorf("%q and %q: %d, %v; the other way %d, %v", a, b, ab, err, ba, err2)
		}
		if c, err := compareProduct(a, a); err == nil && c != 0 {
			t.Errorf("%q is not itself", a)
		}
	})
}
