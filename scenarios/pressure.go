package scenarios

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// waitedForCPU is how long, since the machine started, some work on it waited for a
// core, by the kernel's pressure stall information (Documentation/accounting/psi.rst);
// 0 where the kernel does not tell.
func waitedForCPU() time.Duration {
	b, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	some, _, _ := strings.Cut(string(b), "\n")
	_, total, _ := strings.Cut(some, "total=")
	us, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}
