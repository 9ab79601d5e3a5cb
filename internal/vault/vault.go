// Package vault reads secrets from HashiCorp Vault (or OpenBao) for ${vault:PATH#KEY}.
// It asks where the usual variables say (VAULT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE,
// VAULT_CACERT), and must never log or return anything of a secret but to its caller.
package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

// limit is how long one secret may take, with the client's own second tries.
const limit = 10 * time.Second

// From returns the function that reads the key of the secret at path, such as password
// of secret/shop, with the environment that env looks up. Engines are KV, version 1 or
// 2. Nothing is asked before the first call, and each call asks anew.
func From(env func(string) (string, bool)) func(path, key string) (string, error) {
	return func(path, key string) (string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		c, err := client(env)
		if err != nil {
			return "", err
		}
		data, err := read(ctx, c, strings.Trim(path, "/"))
		if err != nil {
			return "", err
		}
		value, ok := data[key]
		if !ok {
			return "", fmt.Errorf("the secret has no key %q", key)
		}
		return fmt.Sprint(value), nil
	}
}

func client(env func(string) (string, bool)) (*api.Client, error) {
	of := func(name string) string { v, _ := env(name); return v }
	if of("VAULT_ADDR") == "" || of("VAULT_TOKEN") == "" {
		return nil, errors.New("got no VAULT_ADDR or no VAULT_TOKEN in the environment, want both")
	}
	cfg := api.DefaultConfig()
	if cfg.Error != nil {
		return nil, cfg.Error
	}
	cfg.Address = of("VAULT_ADDR")
	if ca := of("VAULT_CACERT"); ca != "" {
		if err := cfg.ConfigureTLS(&api.TLSConfig{CACert: ca}); err != nil {
			return nil, err
		}
	}
	c, err := api.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	c.SetToken(of("VAULT_TOKEN"))
	if ns := of("VAULT_NAMESPACE"); ns != "" {
		c.SetNamespace(ns)
	}
	return c, nil
}

// read returns the values of a secret, of the engine that Vault has at its path.
func read(ctx context.Context, c *api.Client, path string) (map[string]any, error) {
	mount, version := mountOf(ctx, c, path)
	name, ok := strings.CutPrefix(path, mount+"/")
	if !ok || name == "" {
		return nil, fmt.Errorf("got path %q, want the engine and the secret, such as secret/shop", path)
	}
	var secret *api.KVSecret
	var err error
	if version == "1" {
		secret, err = c.KVv1(mount).Get(ctx, name)
	} else {
		secret, err = c.KVv2(mount).Get(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	return secret.Data, nil
}

// mountOf asks which engine has a path. Who may read a secret but not this gets what
// most have: the first word of the path, version 2.
func mountOf(ctx context.Context, c *api.Client, path string) (mount, version string) {
	mount, _, _ = strings.Cut(path, "/")
	info, err := c.Logical().ReadWithContext(ctx, "sys/internal/ui/mounts/"+path)
	if err != nil || info == nil {
		return mount, "2"
	}
	if at, ok := info.Data["path"].(string); ok && at != "" {
		mount = strings.Trim(at, "/")
	}
	options, _ := info.Data["options"].(map[string]any)
	if v, ok := options["version"].(string); ok {
		return mount, v
	}
	return mount, "1" // an engine without options is of the first version
}
