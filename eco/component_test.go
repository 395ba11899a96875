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
