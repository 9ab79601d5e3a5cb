# make demo    the whole loop on the sample shop; ARGS="--exit --breaker=off" and so on
# make test    all tests, real parts included
# make lint    formatting, vet, golangci-lint
# make build   bin/foreshock, bin/foreshock-pact, bin/shop
# make lab     the verdict on breakers known to be right and to be wrong; ARGS="--rounds 10"
# make soak    the kill test at 200 moments, connections by the hundred thousand, 10,000 journeys in a row
# make bench-journeys   journeys beside Playwright's and a fresh browser's, in turn; ARGS="-rounds 20"
.PHONY: demo test lab soak bench-journeys lint build setup setup-lab clean

export PACT_DO_NOT_TRACK := true

LINT := .tools/golangci-lint

demo: setup build
	@bin/foreshock demo $(ARGS)

# One package at a time: browsers and kernels of several at once would starve each
# other, and what they measure. A shuffled order is never answered from the cache, which knows nothing of the kernel,
# the browser and the programs that tests build.
test: setup setup-lab build
	@go vet ./...
	@go test -race -shuffle=on -timeout 10m -p 1 $(TESTFLAGS) ./...

lab: setup setup-lab build
	@bin/foreshock breaker lab $(ARGS)

soak: setup
	@FORESHOCK_SOAK=1 go test -v -timeout 15m -run 'TestKill$$|TestHarmless|TestManyConnections' ./faults
	@FORESHOCK_SOAK=1 go test -v -timeout 3h -run 'TestSoak$$' ./journeys

bench-journeys: setup
	@scripts/setup-playwright.sh
	@go run ./journeys/bench $(ARGS)

lint: $(LINT)
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "lint: run gofmt -w on these files"; exit 1; }
	@go mod tidy -diff
	@$(LINT) run ./...

build:
	@mkdir -p bin
	@test -e bin/foreshock || echo "build: foreshock and the sample shop (minutes the first time)"
	@CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/ ./cmd/foreshock ./cmd/shop
	@if command -v gcc >/dev/null; then CGO_ENABLED=1 go build -trimpath -o bin/ ./cmd/foreshock-pact; \
	else echo "build: no C compiler, so no bin/foreshock-pact: contract checks will be unknown"; fi

setup:
	@scripts/setup.sh

# What it cannot get it names; the tests and cases that need it say so again.
setup-lab:
	@scripts/setup-lab.sh || true

# The linter has a module of its own: what it depends on is not what we ship.
$(LINT): internal/tools/go.mod
	@mkdir -p .tools
	@echo "lint: building golangci-lint (minutes the first time)"
	@go -C internal/tools build -o $(CURDIR)/$(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

clean:
	@rm -rf bin .tools
