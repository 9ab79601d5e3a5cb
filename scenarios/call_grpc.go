package scenarios

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/foreshock/foreshock/internal/expect"
	"github.com/foreshock/foreshock/internal/kind"
)

type grpcTarget struct {
	Address  string                   `yaml:"address"`
	Method   string                   `yaml:"method"`  // package.Service/Method
	Message  kind.Template            `yaml:"message"` // as JSON
	Metadata map[string]kind.Template `yaml:"metadata"`
	TLS      *grpcTLS                 `yaml:"tls"` // nil: in plain text
	Timeout  time.Duration            `yaml:"timeout"`
}

// grpcTLS is how the target proves who it is.
type grpcTLS struct {
	CA         kind.Path `yaml:"ca"`          // file of certificates to trust instead of the system's
	ServerName string    `yaml:"server_name"` // default the address's host
	Insecure   bool      `yaml:"insecure"`    // do not verify the certificate
}

// config reads the file of certificates.
func (t *grpcTLS) config() (*tls.Config, error) {
	c := &tls.Config{ServerName: t.ServerName, InsecureSkipVerify: t.Insecure} //nolint:gosec // the user asks for it
	if t.CA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(string(t.CA))
	if err != nil {
		return nil, err
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("got no certificate in %s, want at least one in PEM", t.CA)
	}
	return c, nil
}

// valid returns what is wrong with the values, with its place in the mapping at.
func (t *grpcTarget) valid(at kind.Node) error {
	if !isAddress(t.Address) {
		return at.Get("address").Errorf("target.grpc.address: got %q, want HOST:PORT of the service", t.Address)
	}
	if service, method := t.split(); service == "" || method == "" || strings.Contains(method, "/") {
		return at.Get("method").Errorf("target.grpc.method: got %q, want SERVICE/METHOD, such as shop.Checkout/Pay", t.Method)
	}
	if t.TLS != nil {
		if _, err := t.TLS.config(); err != nil {
			return at.Get("tls").Errorf("target.grpc.tls.ca: %w", err)
		}
	}
	return nil
}

func (t *grpcTarget) split() (service, method string) {
	service, method, _ = strings.Cut(t.Method, "/")
	return service, method
}

// grpcCalls makes unary calls over one gRPC connection. What the messages look like it
// learns from the target's server reflection.
type grpcCalls struct {
	*grpcTarget

	instance string // that is called instead of the address, or empty
	conn     *grpc.ClientConn
	method   protoreflect.MethodDescriptor
	types    *dynamicpb.Types
}

func newGRPCCalls(t *grpcTarget, instance string) *grpcCalls {
	return &grpcCalls{grpcTarget: t, instance: instance}
}

func (c *grpcCalls) close() {
	if c.conn != nil {
		_ = c.conn.Close() // it says no more than that it was closed before
	}
}

// ready connects, and asks the target's reflection for the method.
func (c *grpcCalls) ready(ctx context.Context, values map[string]string) (err error) {
	to, proof := c.Address, insecure.NewCredentials()
	if c.instance != "" {
		to = c.instance
	}
	if c.TLS != nil {
		config, err := c.TLS.config()
		if err != nil {
			return err
		}
		proof = credentials.NewTLS(config)
	}
	authority := c.Address
	if c.TLS != nil && c.TLS.ServerName != "" {
		authority = c.TLS.ServerName
	}
	// passthrough: the address is dialled as it is, and a name resolved as HTTP would.
	c.conn, err = grpc.NewClient("passthrough:///"+to, grpc.WithTransportCredentials(proof), grpc.WithAuthority(authority),
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithStatsHandler(answers{}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	meta, err := c.metadata(values)
	if err != nil {
		return err
	}
	c.method, c.types, err = reflected(metadata.NewOutgoingContext(ctx, meta), c.conn, c.Method)
	if err != nil {
		return fmt.Errorf("reflection of %s: %w", to, err)
	}
	_, err = c.message(values)
	return err
}

func (c *grpcCalls) message(values map[string]string) (*dynamicpb.Message, error) {
	text, err := c.Message.Fill(values)
	if err != nil {
		return nil, err
	}
	m := dynamicpb.NewMessage(c.method.Input())
	if text == "" {
		return m, nil
	}
	if err := (protojson.UnmarshalOptions{Resolver: c.types}).Unmarshal([]byte(text), m); err != nil {
		return nil, fmt.Errorf("target.grpc.message: want %s as JSON: %w", c.method.Input().FullName(), err)
	}
	return m, nil
}

func (c *grpcCalls) metadata(values map[string]string) (metadata.MD, error) {
	meta := metadata.MD{}
	for name, v := range c.Metadata {
		text, err := v.Fill(values)
		if err != nil {
			return nil, err
		}
		meta.Append(name, text)
	}
	return meta, nil
}

func (c *grpcCalls) ask(ctx context.Context, values map[string]string) (answer, error) {
	in, err := c.message(values)
	if err != nil {
		return answer{}, err
	}
	meta, err := c.metadata(values)
	if err != nil {
		return answer{}, err
	}
	// Without the deadline, which gRPC would tell the service: it could be the first to
	// give up then, and its answer come before we do.
	life, cancel := context.WithCancel(metadata.NewOutgoingContext(context.WithoutCancel(ctx), meta))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	answered := new(atomic.Bool)
	out := dynamicpb.NewMessage(c.method.Output())
	var header, trailer metadata.MD
	err = c.conn.Invoke(context.WithValue(life, answers{}, answered), "/"+c.Method, in, out, grpc.Header(&header), grpc.Trailer(&trailer))
	switch {
	case err != nil && ctx.Err() != nil:
		return answer{}, ctx.Err()
	case err != nil && !answered.Load(): // gRPC has a code for that too, which nobody sent
		return answer{}, errors.New(status.Convert(err).Message())
	}
	a := answer{code: known(status.Code(err)), Answer: expect.Answer{Header: http.Header{}}}
	for name, values := range metadata.Join(header, trailer) {
		for _, v := range values {
			a.Header.Add(name, v)
		}
	}
	if err != nil {
		a.Body = []byte(status.Convert(err).Message())
		return a, nil
	}
	a.Body, err = c.json(out)
	return a, err
}

// known is the code, or unknown if gRPC has no name for it.
func known(c codes.Code) codes.Code {
	if int(c) >= len(codeNames()) {
		return codes.Unknown
	}
	return c
}

// json is a message as JSON, in the same words each time.
func (c *grpcCalls) json(m *dynamicpb.Message) ([]byte, error) {
	text, err := protojson.MarshalOptions{EmitDefaultValues: true, Resolver: c.types}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	var b bytes.Buffer
	err = json.Compact(&b, text)
	return b.Bytes(), err
}

// answers notes which calls were answered: that they ended with a status which the
// target sent, and not one that gRPC made for a connection that broke.
type answers struct{}

// TagRPC implements [stats.Handler].
func (answers) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements [stats.Handler].
func (answers) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if _, ended := s.(*stats.InTrailer); ended {
		if answered, ok := ctx.Value(answers{}).(*atomic.Bool); ok {
			answered.Store(true)
		}
	}
}

// TagConn implements [stats.Handler].
func (answers) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements [stats.Handler].
func (answers) HandleConn(context.Context, stats.ConnStats) {}
