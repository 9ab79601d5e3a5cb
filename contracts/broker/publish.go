package broker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// A Version is the version of a provider that was verified.
type Version struct {
	Provider string
	Number   string
	Branch   string
	Tags     []string
	BuildURL string
}

// A Verification is what came of one pact.
type Verification struct {
	Success      bool
	Interactions []Tested
	Verifier     string // its version, such as 0.4.28
}

// Tested is what came of one interaction.
type Tested struct {
	ID          string     `json:"interactionId,omitempty"` // the broker's, as the pact has it
	Description string     `json:"interactionDescription"`
	Success     bool       `json:"success"`
	Mismatches  []Mismatch `json:"mismatches,omitempty"`
}

// A Mismatch is one difference. Attribute is what differs: status, header, body ...
type Mismatch struct {
	Attribute   string `json:"attribute"`
	Identifier  string `json:"identifier,omitempty"` // the header, or the place in the body
	Description string `json:"description"`
}

// SetVersion makes the broker know the version's branch and tags, before results of it
// are published.
func (c *Client) SetVersion(ctx context.Context, v Version) error {
	if v.Branch == "" && len(v.Tags) == 0 {
		return nil
	}
	index, err := c.index(ctx)
	if err != nil {
		return err
	}
	args := map[string]string{"pacticipant": v.Provider, "version": v.Number}
	if v.Branch != "" {
		args["branch"] = v.Branch
		if err := c.put(ctx, index, "pb:pacticipant-branch-version", args); err != nil {
			return fmt.Errorf("branch %s of version %s: %w", v.Branch, v.Number, err)
		}
	}
	for _, tag := range v.Tags {
		args["tag"] = tag
		if err := c.put(ctx, index, "pb:pacticipant-version-tag", args); err != nil {
			return fmt.Errorf("tag %s of version %s: %w", tag, v.Number, err)
		}
	}
	return nil
}

func (c *Client) put(ctx context.Context, from resource, rel string, args map[string]string) error {
	to, err := c.link(from, rel, args)
	if err == nil {
		_, err = c.do(ctx, http.MethodPut, to, struct{}{})
	}
	return err
}

// Publish tells the broker what came of p for the version.
func (c *Client) Publish(ctx context.Context, p Pact, v Version, got Verification) error {
	if p.publish == "" {
		return fmt.Errorf("%s: the broker takes no results of it: got no link pb:publish-verification-results", p.Name)
	}
	if v.Number == "" {
		return errors.New("provider-app-version: got none, want the version that was verified")
	}
	body := struct {
		Success    bool           `json:"success"`
		Version    string         `json:"providerApplicationVersion"`
		BuildURL   string         `json:"buildUrl,omitempty"`
		Results    []Tested       `json:"testResults"`
		VerifiedBy map[string]any `json:"verifiedBy"`
	}{
		Success: got.Success, Version: v.Number, BuildURL: v.BuildURL, Results: got.Interactions,
		VerifiedBy: map[string]any{"implementation": "Foreshock", "version": got.Verifier},
	}
	if _, err := c.do(ctx, http.MethodPost, p.publish, body); err != nil {
		return fmt.Errorf("results of %s: %w", p.Name, err)
	}
	return nil
}
