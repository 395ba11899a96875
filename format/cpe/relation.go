package cpe

// Relation is how a source attribute or name stands to a target (NISTIR 7696, section 6).
type Relation uint8

// The relations. Undefined is of two patterns, or of a literal against a pattern, for which the specification gives none.
const (
	Undefined Relation = iota
	Disjoint
	Equal
	Subset
	Superset
)

func (r Relation) String() string {
	return [...]string{"undefined", "disjoint", "equal", "subset", "superset"}[r]
}

// Relate is table 6-2 of NISTIR 7696: source is what a record says, target what is there.
func Relate(source, target Attr) Relation {
	switch {
	case target.Literal() && source.wild() && source != Any:
		if glob(string(source), string(target)) {
			return Superset
		}
		return Disjoint
	case target.wild() && target != Any:
		if source == Any {
			return Superset
		}
		return Undefined
	case source == target:
		return Equal
	case source == Any:
		return Superset
	case target == Any:
		return Subset
	}
	return Disjoint
}

// Holds says whether a source name holds a target: every attribute is equal or a superset (Superset, or Equal when all are equal);
// Disjoint when one is disjoint; Subset when the target leaves open what the source asks for; else Undefined.
func Holds(source, target *Name) Relation {
	out := Equal
	undefined := false
	s, t := source.fields(), target.fields()
	for i := range s {
		switch Relate(*s[i], *t[i]) {
		case Disjoint:
			return Disjoint
		case Undefined:
			undefined = true
		case Superset:
			if out == Equal {
				out = Superset
			}
		case Subset:
			out = Subset
		}
	}
	if undefined {
		return Undefined
	}
	return out
}

// glob matches the wildcards of a pattern: byte 0 is any run, byte 1 is one character or none, as unquoted "?" at either end counts.
func glob(p, s string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == 0:
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == s[j] || p[i] == 1):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] <= 1 {
		i++
	}
	return i == len(p)
}
