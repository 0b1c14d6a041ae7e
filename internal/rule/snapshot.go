package rule

import "encoding/json"

// parts is what a judge has made of the events so far, which is all of it but the
// facts of the event in hand.
type parts struct {
	Past  *history
	Count *int

	RS1 *rs1
	RS2 *rs2
	RS3 *rs3
	RS4 *rs4
	RS5 *rs5
	RS7 *rs7
	RS8 *rs8
	RS9 *rs9

	RS10 *rs10

	Chain *chain
	A3    *a3
	A4    *a4
	A5    *a5
	A6    *a6
}

func (j *Judge) parts() parts {
	return parts{
		Past: &j.past, Count: &j.count,
		RS1: &j.rs1, RS2: &j.rs2, RS3: &j.rs3, RS4: &j.rs4, RS5: &j.rs5, RS7: &j.rs7, RS8: &j.rs8, RS9: &j.rs9, RS10: &j.rs10,
		Chain: &j.chain, A3: &j.a3, A4: &j.a4, A5: &j.a5, A6: &j.a6,
	}
}

// MarshalJSON encodes all that the judge has seen, for a snapshot. It is read by
// the same rule set or by none: the fields are nobody's contract.
func (j *Judge) MarshalJSON() ([]byte, error) { return json.Marshal(j.parts()) }

// UnmarshalJSON makes j the judge that was encoded. It goes on as that one would
// have (TestAJudgeGoesOnFromASnapshot). The error is that of encoding/json.
func (j *Judge) UnmarshalJSON(b []byte) error {
	*j = *New()
	p := j.parts()
	return json.Unmarshal(b, &p)
}
