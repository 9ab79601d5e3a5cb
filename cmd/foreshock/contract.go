package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/foreshock/foreshock/contracts/broker"
)

func runContract(ctx context.Context, p *program, args []string) int {
	return p.pick(ctx, "contract command", []command{
		{"verify", "", contractVerify},
		{"can-i-deploy", "", contractCanIDeploy},
		{"record-deployment", "", contractRecordDeployment},
	}, args)
}

// texts is a flag that may be given several times.
type texts []string

// String implements flag.Value.
func (t *texts) String() string { return strings.Join(*t, ", ") }

// Set implements flag.Value.
func (t *texts) Set(s string) error {
	*t = append(*t, s)
	return nil
}

// brokerFlags adds the flags that say where the broker is, as the Pact CLI names them.
// What they leave out comes from the environment.
func (f *flags) brokerFlags(env func(string) (string, bool)) *broker.Options {
	o := &broker.Options{Version: version()}
	for _, x := range []struct {
		to              *string
		name, key, text string
	}{
		{&o.URL, "broker-base-url", "PACT_BROKER_BASE_URL", "`URL` of the Pact Broker"},
		{&o.Token, "broker-token", "PACT_BROKER_TOKEN", "bearer `TOKEN` for the broker; safer in the environment"},
		{&o.User, "broker-username", "PACT_BROKER_USERNAME", "`NAME` for the broker's basic authentication"},
		{&o.Password, "broker-password", "PACT_BROKER_PASSWORD", "`PASSWORD` of that name; safer in the environment"},
	} {
		f.Func(x.name, x.text+" ($"+x.key+")", func(s string) error {
			*x.to = s
			return nil
		})
		*x.to, _ = env(x.key)
	}
	return o
}

// newBroker returns the client, or an error in the words of the command line.
func newBroker(o *broker.Options) (*broker.Client, error) {
	if o.URL == "" {
		return nil, errors.New("--broker-base-url: got none, want the URL of the Pact Broker, or PACT_BROKER_BASE_URL")
	}
	o.Transport = http.DefaultTransport
	c, err := broker.New(*o)
	if err != nil {
		return nil, fmt.Errorf("--%w", err)
	}
	return c, nil
}

// noAnswer tells why the broker could not be asked.
func (p *program) noAnswer(ctx context.Context, err error) int {
	fmt.Fprintln(p.stderr, "foreshock:", err)
	if _, ok := errors.AsType[*broker.UnknownEnvironment](err); ok {
		return exitUsage
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return exitStopped
	}
	return exitUnsure
}
