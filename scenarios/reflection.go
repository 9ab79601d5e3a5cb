package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/foreshock/foreshock/internal/kind"
)

// reflected asks a server's reflection for a unary method, SERVICE/METHOD.
func reflected(ctx context.Context, conn *grpc.ClientConn, name string) (protoreflect.MethodDescriptor, *dynamicpb.Types, error) { //nolint:ireturn // protoreflect has no type for it
	service, method, _ := strings.Cut(name, "/")
	var errs []error
	for _, version := range []string{"v1", "v1alpha"} { // whose messages are the same
		r := &reflector{files: map[string]*descriptorpb.FileDescriptorProto{}}
		err := r.open(ctx, conn, version)
		if err == nil {
			err = r.file(&reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service}})
		}
		switch {
		case err == nil:
			return r.unary(service, method)
		case errors.Is(err, errNotFound):
			return nil, nil, r.unknown(service)
		case status.Code(err) != codes.Unimplemented:
			return nil, nil, errors.New(status.Convert(err).Message())
		}
		errs = append(errs, err)
	}
	return nil, nil, fmt.Errorf("the service does not offer it, want grpc.reflection.v1.ServerReflection registered in the service (in Go: reflection.Register(server)): %s", status.Convert(errs[0]).Message())
}

// errNotFound says that the server does not know what was asked for.
var errNotFound = errors.New("not found")

// A reflector asks one server for descriptions of its services.
type reflector struct {
	stream grpc.ClientStream
	files  map[string]*descriptorpb.FileDescriptorProto
}

func (r *reflector) open(ctx context.Context, conn *grpc.ClientConn, version string) (err error) {
	both := &grpc.StreamDesc{StreamName: "ServerReflectionInfo", ServerStreams: true, ClientStreams: true}
	r.stream, err = conn.NewStream(ctx, both, "/grpc.reflection."+version+".ServerReflection/ServerReflectionInfo")
	return err
}

func (r *reflector) ask(req *reflection.ServerReflectionRequest) (*reflection.ServerReflectionResponse, error) {
	// What is wrong with a stream that takes nothing more, receiving tells.
	_ = r.stream.SendMsg(req)
	resp := &reflection.ServerReflectionResponse{}
	if err := r.stream.RecvMsg(resp); err != nil {
		return nil, err
	}
	if e := resp.GetErrorResponse(); e != nil {
		if codes.Code(e.GetErrorCode()) == codes.NotFound { //nolint:gosec // a code, or none that we know
			return nil, errNotFound
		}
		return nil, fmt.Errorf("%s", e.GetErrorMessage())
	}
	return resp, nil
}

// file asks for a file and whatever it imports. One that the server does not have stays
// out: it may hold nothing but options.
func (r *reflector) file(req *reflection.ServerReflectionRequest) error {
	resp, err := r.ask(req)
	if err != nil {
		return err
	}
	var imports []string
	for _, b := range resp.GetFileDescriptorResponse().GetFileDescriptorProto() {
		f := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(b, f); err != nil {
			return fmt.Errorf("got a description that cannot be read: %w", err)
		}
		r.files[f.GetName()] = f
		imports = append(imports, f.GetDependency()...)
	}
	for _, name := range imports {
		if _, known := r.files[name]; known {
			continue
		}
		err := r.file(&reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_FileByFilename{FileByFilename: name}})
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
	}
	return nil
}

// unary finds the method in the files.
func (r *reflector) unary(service, method string) (protoreflect.MethodDescriptor, *dynamicpb.Types, error) { //nolint:ireturn // as above
	set := &descriptorpb.FileDescriptorSet{}
	for _, f := range r.files {
		set.File = append(set.File, f)
	}
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(set)
	if err != nil {
		return nil, nil, fmt.Errorf("got descriptions that do not fit together: %w", err)
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, nil, err
	}
	s, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, nil, fmt.Errorf("got %s, which is no service, want SERVICE/METHOD", service)
	}
	m := s.Methods().ByName(protoreflect.Name(method))
	switch {
	case m == nil:
		var names []string
		for i := range s.Methods().Len() {
			names = append(names, string(s.Methods().Get(i).Name()))
		}
		return nil, nil, errors.New(kind.UnknownWord("method of "+service, method, names))
	case m.IsStreamingClient() || m.IsStreamingServer():
		return nil, nil, fmt.Errorf("got %s/%s, which streams, want a unary method", service, method)
	}
	return m, dynamicpb.NewTypes(files), nil
}

// unknown names the services that there are.
func (r *reflector) unknown(service string) error {
	resp, err := r.ask(&reflection.ServerReflectionRequest{MessageRequest: &reflection.ServerReflectionRequest_ListServices{}})
	if err != nil {
		return fmt.Errorf("it does not know the service %s", service)
	}
	var names []string
	for _, s := range resp.GetListServicesResponse().GetService() {
		if !strings.HasPrefix(s.GetName(), "grpc.reflection.") {
			names = append(names, s.GetName())
		}
	}
	slices.Sort(names)
	return errors.New(kind.UnknownWord("service", service, names))
}
