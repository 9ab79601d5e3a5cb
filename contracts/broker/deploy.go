package broker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/foreshock/foreshock/internal/kind"
	"github.com/foreshock/foreshock/results"
)

// RecordDeployment tells the broker that the version runs in the environment now, in
// place of the one before it; instance tells several of them apart and may be empty.
func (c *Client) RecordDeployment(ctx context.Context, pacticipant, version, environment, instance string) error {
	index, err := c.index(ctx)
	if err != nil {
		return err
	}
	v, err := c.follow(ctx, index, "pb:pacticipant-version", map[string]string{"pacticipant": pacticipant, "version": version})
	if status(err) == http.StatusNotFound {
		return fmt.Errorf("version %s of %s: the broker does not know it: publish a pact or results of it first: %w", version, pacticipant, err)
	}
	if err != nil {
		return err
	}
	var known []string
	for _, l := range v.Links["pb:record-deployment"] {
		known = append(known, l.Name)
		if l.Name != environment {
			continue
		}
		to, err := v.resolve(l.Href)
		if err != nil {
			return err
		}
		body := map[string]string{}
		if instance != "" {
			body["applicationInstance"] = instance
		}
		_, err = c.do(ctx, http.MethodPost, to, body)
		return err
	}
	return &UnknownEnvironment{environment, known}
}

// UnknownEnvironment is an environment that the broker does not have.
type UnknownEnvironment struct {
	Name  string
	Known []string
}

// Error names the nearest one that there is.
func (e *UnknownEnvironment) Error() string {
	return "broker: " + kind.UnknownWord("environment", e.Name, e.Known)
}

// A Deployed version is one that the broker believes to run in an environment.
type Deployed struct {
	Number   string
	Instance string // empty for the only one
}

// Deployed lists the versions of the participant that the broker believes to run in the
// environment now.
func (c *Client) Deployed(ctx context.Context, pacticipant, environment string) ([]Deployed, error) {
	index, err := c.index(ctx)
	if err != nil {
		return nil, err
	}
	all, err := c.follow(ctx, index, "pb:environments", nil)
	if err != nil {
		return nil, err
	}
	env, err := environmentIn(all, environment)
	if err != nil {
		return nil, err
	}
	one, err := c.get(ctx, env)
	if err != nil {
		return nil, err
	}
	to, err := c.link(one, "pb:currently-deployed-deployed-versions", nil)
	if err != nil {
		return nil, err
	}
	list, err := c.get(ctx, to+"?pacticipant="+url.QueryEscape(pacticipant))
	if err != nil {
		return nil, err
	}
	var doc struct {
		Embedded struct {
			Versions []struct {
				Instance string `json:"applicationInstance"`
				Target   string `json:"target"`
				Embedded struct {
					Version     struct{ Number string }
					Pacticipant struct{ Name string }
				} `json:"_embedded"`
			} `json:"deployedVersions"`
		} `json:"_embedded"`
	}
	if err := list.decode(&doc); err != nil {
		return nil, err
	}
	var out []Deployed
	for _, v := range doc.Embedded.Versions {
		if name := v.Embedded.Pacticipant.Name; name != "" && !strings.EqualFold(name, pacticipant) {
			continue
		}
		out = append(out, Deployed{v.Embedded.Version.Number, v.Instance + v.Target})
	}
	return out, nil
}

// environmentIn is the address of the environment of that name.
func environmentIn(all resource, name string) (string, error) {
	var doc struct {
		Embedded struct {
			Environments []struct {
				Name  string
				Links map[string]links `json:"_links"`
			}
		} `json:"_embedded"`
	}
	if err := all.decode(&doc); err != nil {
		return "", err
	}
	var known []string
	for _, e := range doc.Embedded.Environments {
		known = append(known, e.Name)
		if e.Name == name && len(e.Links["self"]) > 0 {
			return all.resolve(e.Links["self"][0].Href)
		}
	}
	if len(known) == 0 {
		return "", &Error{http.MethodGet, all.at, http.StatusOK, results.CauseNetwork, errors.New("no environment, want " + name)}
	}
	return "", &UnknownEnvironment{name, known}
}
