package csaf

import "strings"

// metricValue is a metric and a value as vectors abbreviate them.
type metricValue struct{ metric, value string } // metric "" for words that no vector has

// metricWords are the words of the JSON schemas of FIRST: property, metric, then word=value.
var metricWords = map[int]map[string]metricWordList{
	2: readMetrics(`
accessVector AV NETWORK=N ADJACENT_NETWORK=A LOCAL=L
accessComplexity AC HIGH=H MEDIUM=M LOW=L
authentication Au MULTIPLE=M SINGLE=S NONE=N
confidentialityImpact C NONE=N PARTIAL=P COMPLETE=C
integrityImpact I NONE=N PARTIAL=P COMPLETE=C
availabilityImpact A NONE=N PARTIAL=P COMPLETE=C
exploitability E UNPROVEN=U PROOF_OF_CONCEPT=POC FUNCTIONAL=F HIGH=H NOT_DEFINED=ND
remediationLevel RL OFFICIAL_FIX=OF TEMPORARY_FIX=TF WORKAROUND=W UNAVAILABLE=U NOT_DEFINED=ND
reportConfidence RC UNCONFIRMED=UC UNCORROBORATED=UR CONFIRMED=C NOT_DEFINED=ND
collateralDamagePotential CDP NONE=N LOW=L LOW_MEDIUM=LM MEDIUM_HIGH=MH HIGH=H NOT_DEFINED=ND
targetDistribution TD NONE=N LOW=L MEDIUM=M HIGH=H NOT_DEFINED=ND
confidentialityRequirement CR LOW=L MEDIUM=M HIGH=H NOT_DEFINED=ND
integrityRequirement IR LOW=L MEDIUM=M HIGH=H NOT_DEFINED=ND
availabilityRequirement AR LOW=L MEDIUM=M HIGH=H NOT_DEFINED=ND`),
	3: readMetrics(`
attackVector AV NETWORK=N ADJACENT_NETWORK=A LOCAL=L PHYSICAL=P
attackComplexity AC HIGH=H LOW=L
privilegesRequired PR HIGH=H LOW=L NONE=N
userInteraction UI NONE=N REQUIRED=R
scope S UNCHANGED=U CHANGED=C
confidentialityImpact C NONE=N LOW=L HIGH=H
integrityImpact I NONE=N LOW=L HIGH=H
availabilityImpact A NONE=N LOW=L HIGH=H
exploitCodeMaturity E UNPROVEN=U PROOF_OF_CONCEPT=P FUNCTIONAL=F HIGH=H NOT_DEFINED=X
remediationLevel RL OFFICIAL_FIX=O TEMPORARY_FIX=T WORKAROUND=W UNAVAILABLE=U NOT_DEFINED=X
reportConfidence RC UNKNOWN=U REASONABLE=R CONFIRMED=C NOT_DEFINED=X
confidentialityRequirement CR LOW=L MEDIUM=M HIGH=H NOT_DEFINED=X
integrityRequirement IR LOW=L MEDIUM=M HIGH=H NOT_DEFINED=X
availabilityRequirement AR LOW=L MEDIUM=M HIGH=H NOT_DEFINED=X
modifiedAttackVector MAV NETWORK=N ADJACENT_NETWORK=A LOCAL=L PHYSICAL=P NOT_DEFINED=X
modifiedAttackComplexity MAC HIGH=H LOW=L NOT_DEFINED=X
modifiedPrivilegesRequired MPR HIGH=H LOW=L NONE=N NOT_DEFINED=X
modifiedUserInteraction MUI NONE=N REQUIRED=R NOT_DEFINED=X
modifiedScope MS UNCHANGED=U CHANGED=C NOT_DEFINED=X
modifiedConfidentialityImpact MC NONE=N LOW=L HIGH=H NOT_DEFINED=X
modifiedIntegrityImpact MI NONE=N LOW=L HIGH=H NOT_DEFINED=X
modifiedAvailabilityImpact MA NONE=N LOW=L HIGH=H NOT_DEFINED=X`),
}

type metricWordList struct {
	metric string
	values map[string]string
}

func readMetrics(table string) map[string]metricWordList {
	out := map[string]metricWordList{}
	for line := range strings.SplitSeq(strings.TrimSpace(table), "\n") {
		f := strings.Fields(line)
		l := metricWordList{f[1], map[string]string{}}
		for _, pair := range f[2:] {
			word, value, _ := strings.Cut(pair, "=")
			l.values[word] = value
		}
		out[f[0]] = l
	}
	return out
}

// metricWord returns what a word of a CVSS object says in the vector's letters; known is false when the property has no such word.
// Properties that the schemas do not name are allowed and say nothing; of CVSS 4.0 none is looked at.
func metricWord(major int, property, word string) (m metricValue, known bool) {
	l, ok := metricWords[major][property]
	if !ok {
		return metricValue{}, true
	}
	value, known := l.values[word]
	return metricValue{l.metric, value}, known
}

func isMetric(major int, name, value string) bool {
	for _, l := range metricWords[major] {
		if l.metric != name {
			continue
		}
		for _, v := range l.values {
			if v == value {
				return true
			}
		}
	}
	return false
}
