package faults_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/foreshock/foreshock/faults"
	"github.com/foreshock/foreshock/faults/faulttest"
)

// TestKill kills the owner of a fault at random moments of injecting, holding and
// healing. Traffic must flow again and processes run on within the lease and a second,
// and the next start must leave nothing. FORESHOCK_SOAK=1 does so 200 times.
func TestKill(t *testing.T) {
	moments := 20
	if os.Getenv("FORESHOCK_SOAK") != "" { //nolint:forbidigo // tests alone ask
		moments = 200
	}
	const lease = time.Second
	kinds := []struct{ kind, settings string }{
		{"reject", "to: TO"},
		{"drop", "to: TO"},
		{"drop", "{to: TO, established: reset}"},
		{"loss", "{to: TO, packets: 100}"},
		{"blackhole", "to: TO"},
		{"connections", "{to: TO, most: 0}"},
		{"dns", "to: TO"},
		{"latency", "{to: TO, latency: 30s}"},
		{"bandwidth", "{to: TO, rate: 1, burst: 1}"},
		{"corrupt", "{to: TO, packets: 100}"},
		{"pause", "pid: PID"},
		{"watch", "to: TO"},
		{"partition", "{between: HOST, and: HOST, ports: PORT}"},
		{"reset", "to: TO"}, // new connections pass; nothing may be left all the same
	}
	still := startPeer(t)
	servers := []string{faulttest.Serve(t, "127.0.0.1"), faulttest.Serve(t, "::1")}
	stages := []time.Duration{150 * time.Millisecond, 600 * time.Millisecond, 30 * time.Millisecond}
	var worst time.Duration
	bitten := 0
	for n := range moments {
		round := n / len(kinds)
		kind, to := kinds[n%len(kinds)], servers[(n+round)%2]
		host, port, _ := net.SplitHostPort(to)
		order, err := json.Marshal(ownerOrder{
			Kind: kind.kind, Settings: strings.NewReplacer("TO", strconv.Quote(to), "HOST", strconv.Quote(host), "PORT", port, "PID", strconv.Itoa(still.pid)).Replace(kind.settings), Heal: true,
			Options: faults.Options{Run: "kill", Until: time.Now().Add(time.Hour), Lease: lease},
		})
		must(t, err)
		c := exec.Command("/proc/self/exe", "-faults.owner="+string(order))
		var stderr bytes.Buffer
		c.Stderr = &stderr
		out, err := c.StdoutPipe()
		must(t, err)
		must(t, c.Start())
		// A third each while it injects, holds and heals, another in each round of the kinds.
		stage := (n + round) % 3
		lines := bufio.NewScanner(out)
		for range stage {
			if !lines.Scan() {
				t.Fatalf("owner: %s", stderr.String())
			}
		}
		wait := time.NewTimer(time.Duration(rand.Int64N(int64(stages[stage]))))
		<-wait.C
		if kind.kind == "pause" && stage == 1 && !still.stands() {
			t.Fatal("an armed pause holds nothing")
		}
		must(t, c.Process.Kill())
		killed := time.Now()
		_ = c.Wait()
		hurts := func() bool { return faulttest.DialFor(to, 100*time.Millisecond) != nil }
		if kind.kind == "pause" {
			hurts = still.stands
		}
		if hurts() {
			bitten++
			for hurts() {
				if time.Since(killed) > lease+time.Second {
					t.Fatalf("%s killed in stage %d: it hurts %v after", kind.kind, stage, time.Since(killed))
				}
			}
			worst = max(worst, time.Since(killed))
		}
		must(t, still.echo("running", patience))
		if a, found := find(t, "kill"); found && (a.Owned || a.Armed) {
			t.Fatalf("%s killed in stage %d: %+v has an owner", kind.kind, stage, a)
		}
		// What the next start does, twice.
		for range 2 {
			_, err := (&faults.Injector{}).Sweep(t.Context())
			must(t, err)
		}
		for _, command := range []string{"iptables-save", "ip6tables-save"} {
			left, err := exec.Command(command).Output()
			must(t, err)
			if sum := "FS-" + runSum("kill"); bytes.Contains(left, []byte(sum)) {
				t.Fatalf("%s killed in stage %d: left %s", kind.kind, stage, left)
			}
		}
		lists, _ := os.ReadDir("/proc/self/net/xt_recent")
		for _, l := range lists {
			if strings.HasPrefix(l.Name(), "FS-"+runSum("kill")) {
				t.Fatalf("%s killed in stage %d: left the lease %s", kind.kind, stage, l.Name())
			}
		}
	}
	t.Logf("%d moments, %d of them with the fault acting; worst healing time %v (lease %v)", moments, bitten, worst, lease)
	if bitten == 0 {
		t.Error("no fault acted when its owner was killed")
	}
}

// What an installed fault costs the traffic that it is not for, and what a disarmed one
// costs all: nothing is lost, and opening a connection takes as long as without.
func TestHarmlessWhileDisarmed(t *testing.T) {
	rounds, each := 5, 600
	if os.Getenv("FORESHOCK_SOAK") != "" { //nolint:forbidigo // tests alone ask
		rounds, each = 10, 10000
	}
	to, elsewhere := faulttest.Serve(t, "127.0.0.1"), faulttest.Serve(t, "127.0.0.1")
	dial := func(n int) (all []time.Duration) {
		for range n {
			start := time.Now()
			must(t, faulttest.Dial(to))
			all = append(all, time.Since(start))
		}
		return all
	}
	times := map[string][]time.Duration{}
	dial(each)         // the first are slower, whatever is installed
	for range rounds { // taken in turns, so that whatever else the machine does counts for all
		times["without"] = append(times["without"], dial(each)...)
		in := install(t, "drop", "to: "+to, minute("harmless"))
		times["disarmed"] = append(times["disarmed"], dial(each)...)
		must(t, in.Close(t.Context()))
		in = install(t, "drop", "to: "+elsewhere, minute("harmless"))
		must(t, in.Arm(t.Context()))
		times["elsewhere"] = append(times["elsewhere"], dial(each)...)
		if e, err := in.Evidence(t.Context()); err != nil || e.Packets != 0 {
			t.Errorf("armed elsewhere: got %d packets, %v", e.Packets, err)
		}
		must(t, in.Close(t.Context()))
	}
	base := p50(times["without"])
	for name, all := range times {
		t.Logf("%-10s p50 %v of %d connections, %+.1f %%", name, p50(all), len(all), 100*(float64(p50(all))/float64(base)-1))
	}
	// The promise is 5 %, which the soak holds on a quiet machine; in short, the tests beside this one are louder.
	limit := 1.5
	if os.Getenv("FORESHOCK_SOAK") != "" { //nolint:forbidigo // tests alone ask
		limit = 1.05
	}
	for _, name := range []string{"disarmed", "elsewhere"} {
		if got := float64(p50(times[name])) / float64(base); got > limit {
			t.Errorf("%s: connections take %.2f times as long", name, got)
		}
	}
}
