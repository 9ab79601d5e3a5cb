package lab_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/foreshock/foreshock/breaker/lab"
	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/internal/isolate"
	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/internal/run"
	"github.com/foreshock/foreshock/probes"
	"github.com/foreshock/foreshock/results"
	"github.com/foreshock/foreshock/scenarios"
)

// The words that make this program one of the lab's own processes.
const (
	partWord   = "--part"
	insideWord = "--inside"
)

func TestMain(m *testing.M) {
	args := os.Args //nolint:forbidigo // this program is also the lab's parts
	if i := slices.Index(args, partWord); i > 0 {
		exit(lab.Part(context.Background(), args[i+1:], os.Stdin, os.Stdout))
	}
	if i := slices.Index(args, insideWord); i > 0 {
		exit(inside(args[i+1]))
	}
	goleak.VerifyTestMain(m)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // as above
	}
	os.Exit(0) //nolint:forbidigo // as above
}

// inside runs one case in the namespaces that were made for it.
func inside(name string) error {
	ctx, dir, err := isolate.Enter(context.Background())
	if err != nil {
		return err
	}
	cases, err := lab.Find([]string{name})
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	log, secrets := slog.New(slog.DiscardHandler), &kind.Secrets{}
	b := &lab.Bench{
		Self: []string{exe, partWord}, Dir: dir,
		Engine: &scenarios.Engine{
			Runner: run.New("lab", nowhere{}, secrets, log), Injector: &faults.Injector{}, Allowed: func() error { return nil },
			Events: nowhere{}, Log: log, Version: "test", Host: "host",
		},
		Loader: scenarios.Loader{
			Checks: func(*kind.Vars) kind.Table[results.Check] { return probes.Kinds() },
			Env:    func(string) (string, bool) { return "", false }, Secrets: secrets,
		},
	}
	return json.NewEncoder(os.Stdout).Encode(b.Run(ctx, cases[0]))
}

type nowhere struct{}

func (nowhere) Publish(context.Context, ...results.Record) error { return nil }
