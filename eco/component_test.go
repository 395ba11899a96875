package eco

import "testing"

func TestComponent(t *testing.T) {
	c, err := Component("pkg:rpm/rocky/openssl-libs@3.0.7-25.el9?arch=x86_64&distro=rocky-9.3&epoch=1&upstream=openssl@3.0.7-25.el9")
	if err != nil {
		t.Fatal(err)
	}
	if c.Version != "1:3.0.7-25.el9" || c.Distro != "rocky-9.3" || c.Arch != "x86_64" || c.Namespace != "rocky" || c.ID == "" {
		t.Errorf("got %+v", c)
	}
	if c.Source == nil || c.Source.Name != "openssl" || c.Source.Version != "3.0.7-25.el9" {
		t.Errorf("source %+v", c.Source)
	}
	if _, err := Component("pkg:npm"); err == nil {
		t.Error("a purl without a name was accepted")
	}
}

func TestSourceOf(t *testing.T) {
	for up, want := range map[string][2]string{
		"glibc@2.36-9":                 {"glibc", "2.36-9"},
		"bash":                         {"bash", ""},
		"openssl-3.0.7-25.el9.src.rpm": {"openssl", "3.0.7-25.el9"},
		"python-pip-21-1.src.rpm":      {"python-pip", "21-1"},
		"odd.src.rpm":                  {"odd.src.rpm", ""},
	} {
		if got := sourceOf(up); got.Name != want[0] || got.Version != want[1] {
			t.Errorf("sourceOf(%q) = %+v, want %v", up, *got, want)
		}
	}
}
