package rule

import "encoding/json"

// MarshalJSON encodes all that the judge has seen, for a snapshot. It is read by
// the same rule set or by none: the fields are nobody's contract.
func (j *Judge) MarshalJSON() ([]byte, error) { return json.Marshal(&j.seen) }

// UnmarshalJSON makes j the judge that was encoded. It goes on as that one would
// have (TestAJudgeGoesOnFromASnapshot). The error is that of encoding/json.
func (j *Judge) UnmarshalJSON(b []byte) error {
	*j = *New()
	return json.Unmarshal(b, &j.seen)
}
