package lab

import (
	"testing"

	"github.com/foreshock/foreshock/breaker/verdict"
	"github.com/foreshock/foreshock/scenarios"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	leaks := []string{"quiet-while-open"}
	for _, c := range []struct {
		names   []string
		verdict verdict.Verdict
		failed  []string
		want    Outcome
	}{
		{nil, verdict.Pass, nil, Hit},
		{nil, verdict.Fail, []string{"fails-fast"}, FalseAlarm},
		{nil, verdict.Inconclusive, nil, NoVerdict},
		{nil, verdict.Invalid, nil, NoVerdict},
		{leaks, verdict.Pass, nil, Miss},
		{leaks, verdict.Fail, []string{"fails-fast", "quiet-while-open"}, Hit},
		{leaks, verdict.Fail, []string{"fails-fast"}, Misnamed},
		{leaks, verdict.Inconclusive, nil, NoVerdict},
		{leaks, verdict.Aborted, []string{}, NoVerdict},
	} {
		rep := &scenarios.Report{Verdict: c.verdict, Properties: []scenarios.PropertyLine{{ID: "closes-on-success"}, {ID: "isolated", Verdict: verdict.Inconclusive}}}
		for _, id := range c.failed {
			rep.Properties = append(rep.Properties, scenarios.PropertyLine{ID: id, Verdict: verdict.Fail})
		}
		row := Case{Name: "c", Names: c.names}.Row()
		row.judge(rep)
		if row.Outcome != c.want || len(row.Failed) != len(c.failed) || len(row.Unsure) != 1 || row.Right != (c.names == nil) {
			t.Errorf("%v of %v with %v failed: got %s, %+v, want %s", c.verdict, c.names, c.failed, row.Outcome, row, c.want)
		}
	}
}
