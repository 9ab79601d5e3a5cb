package contracts

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/foreshock/foreshock/results"
)

// freshLimit is how long a program may take to print the value of a header.
const freshLimit = 30 * time.Second

// freshHeaders returns the headers of a request with those that are made anew, such as
// a token that lives for minutes. A program's output is never shown: it is a secret.
func (r Request) freshHeaders(ctx context.Context) (map[string]string, error) {
	headers := maps.Clone(r.Headers)
	if headers == nil {
		headers = map[string]string{}
	}
	ctx, cancel := context.WithTimeout(ctx, freshLimit)
	defer cancel()
	for _, name := range slices.Sorted(maps.Keys(r.Fresh)) {
		command := r.Fresh[name]
		out, err := exec.CommandContext(ctx, command[0], command[1:]...).Output() //nolint:gosec // the user names the program
		value := strings.TrimSpace(string(out))
		if err == nil && (value == "" || strings.ContainsAny(value, "\r\n")) {
			err = fmt.Errorf("got %d lines, want one with the value", strings.Count(value, "\n")+min(1, len(value)))
		}
		if err != nil {
			return nil, results.Blind(results.CauseTool, fmt.Errorf("header %s: %s: %w", name, command[0], err))
		}
		headers[name] = value
	}
	return headers, nil
}
