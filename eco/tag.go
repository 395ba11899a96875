package eco

import "strings"

// TagVersion returns the version that a tag of a repository names: "8.4.0" of "curl-8_4_0", "1.0.2zg" of "OpenSSL_1_0_2zg", "1.2.3" of
// "refs/tags/v1.2.3", "2023.01-rc3" of "v2023.01-rc3", "9.3p1" of "V_9_3_P1". What stands before the version is names and marks;
// numbers that belong to a name ("libxml2-2.9.14", "pcre2-10.42") are followed by a hyphen and the version itself. "" when a tag
// names no version: branches, commits, dates of nightly builds with words around them.
func TagVersion(tag string) string {
	if len(tag) > 256 {
		return ""
	}
	t := tag[strings.LastIndexByte(tag, '/')+1:]
	for i := 0; i < len(t); {
		if !isDigit(t[i]) {
			i++
			continue
		}
		n := digits(t[i:])
		if named(t[:i]) && !numberOfName(t[i+n:]) {
			return plainVersion(t[i:])
		}
		i += n
	}
	return ""
}

// named says whether what stands before a version is a name and not part of a hash.
func named(prefix string) bool {
	return debChars(prefix, "-._+") && (prefix == "" || len(prefix) <= 64)
}

// numberOfName says whether digits with this behind them belong to a name: a hyphen or underscore and then a version with dots, or "v"
// and a digit.
func numberOfName(rest string) bool {
	if len(rest) < 2 || rest[0] != '-' && rest[0] != '_' {
		return false
	}
	r := rest[1:]
	if (r[0] == 'v' || r[0] == 'V') && len(r) > 1 && isDigit(r[1]) {
		return true
	}
	n := digits(r)
	return n > 0 && n+1 < len(r) && r[n] == '.' && isDigit(r[n+1])
}

// plainVersion turns the marks between numbers into dots where the version has none of its own, and cuts the mark before "p1".
func plainVersion(v string) string {
	if !upstreamChars(v) {
		return ""
	}
	out := make([]byte, 0, len(v))
	dots := strings.IndexByte(v, '.') >= 0
	for i := 0; i < len(v); i++ {
		c := v[i]
		mark := c == '_' || c == '-'
		between := mark && i > 0 && isDigit(v[i-1]) && i+1 < len(v)
		switch {
		case between && !dots && isDigit(v[i+1]):
			c = '.'
		case between && (v[i+1] == 'p' || v[i+1] == 'P') && i+2 < len(v) && isDigit(v[i+2]):
			continue
		case mark && i+1 == len(v):
			continue
		}
		if c == 'P' && len(out) > 0 && isDigit(out[len(out)-1]) {
			c = 'p'
		}
		out = append(out, c)
	}
	return string(out)
}

// JoinUpdate puts a version and an update as CPE parts them together as their makers write it: "9.3" and "p2" are "9.3p2", "1.0.2" and
// "zg" are "1.0.2zg", "2.0" and "rc1" are "2.0-rc1", "1.8.0" and "update_5" are "1.8.0-update5". An empty update is none.
func JoinUpdate(version, update string) string {
	u := strings.ReplaceAll(strings.ToLower(update), "_", "")
	switch {
	case u == "":
		return version
	case u[0] == 'p' && len(u) > 1 && digits(u[1:]) == len(u)-1:
		return version + u
	case strings.HasPrefix(u, "patch") && digits(u[5:]) == len(u)-5 && len(u) > 5:
		return version + "p" + u[5:]
	case len(u) <= 2 && letters(u) == len(u):
		return version + u
	}
	return version + "-" + u
}

// SplitUpdate is the other way: the part of a version that CPE calls its update ("p2", "rc1", "sp1"), and what is before it. A letter behind
// the numbers is part of the version for most makers ("1.0.2a") and stays.
func SplitUpdate(v string) (version, update string) {
	core, tail, err := splitUpstream(v)
	if err != nil || tail == "" {
		return v, ""
	}
	t := strings.ToLower(strings.TrimLeft(tail, "-._~+"))
	n := letters(t)
	switch t[:n] {
	case "p", "pl", "rc", "alpha", "beta", "b", "sp", "patch", "update", "pre", "dev":
		if n < len(t) || n > 2 {
			return core, strings.NewReplacer("-", "", "_", "", ".", "").Replace(t)
		}
	}
	return v, ""
}
