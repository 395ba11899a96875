package installed

import (
	"context"
	"regexp"
	"strings"

	"github.com/biopsy-sca/biopsy"
)

// ErlangApp reads ebin/NAME.app (OTP 27 design principles): an application of Erlang or Elixir as it was built.
var ErlangApp = biopsy.Extractor{
	Name:    "erlang-app",
	Basis:   biopsy.Manifest,
	Names:   []string{"ebin/*.app"},
	Extract: erlangApp,
}

var (
	erlangName = regexp.MustCompile(`\{\s*application\s*,\s*'?([a-z][A-Za-z0-9_@]*)'?`)
	erlangVsn  = regexp.MustCompile(`\{\s*vsn\s*,\s*"([^"]+)"`)
	erlangDesc = regexp.MustCompile(`\{\s*description\s*,\s*"([^"]*)"`)
	erlangList = regexp.MustCompile(`\{\s*(applications|optional_applications)\s*,\s*\[([^\]]*)\]`)
)

// otpApps come with Erlang itself and are no packages of Hex.
var otpApps = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(`asn1 common_test compiler crypto debugger dialyzer diameter edoc eldap erl_docgen erl_interface erts et eunit ftp
		hipe inets jinterface kernel megaco mnesia observer odbc os_mon parsetools public_key reltool runtime_tools sasl snmp ssh ssl stdlib
		syntax_tools tftp tools wx xmerl`) {
		m[n] = true
	}
	return m
}()

func erlangApp(_ context.Context, in biopsy.Input, emit func(biopsy.Evidence)) error {
	b, err := whole(in, 1<<20)
	if err != nil {
		return err
	}
	name, vsn := erlangName.FindSubmatch(b), erlangVsn.FindSubmatch(b)
	if name == nil || vsn == nil {
		return nil
	}
	c := biopsy.Claim{Eco: "hex", Name: string(name[1]), Version: string(vsn[1]), State: biopsy.Installed}
	if otpApps[c.Name] {
		c.Eco, c.Supplier = "otp", "Ericsson AB"
	}
	if d := erlangDesc.FindSubmatch(b); d != nil {
		c.Description = string(d[1])
	}
	for _, m := range erlangList.FindAllSubmatch(b, 2) {
		scope := biopsy.Runtime
		if string(m[1]) != "applications" {
			scope = biopsy.Optional
		}
		for _, n := range strings.Split(string(m[2]), ",") {
			if n = strings.Trim(strings.TrimSpace(n), "'"); n != "" && !otpApps[n] {
				c.Needs = append(c.Needs, biopsy.Need{Name: n, Scope: scope})
			}
		}
	}
	sheet{in, "erlang-app", biopsy.Manifest, emit}.say(c, sureManifest)
	return nil
}
