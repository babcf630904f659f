// SPDX-License-Identifier: Apache-2.0

// CoreDNS with the plugins that a cluster of one node needs. Its own program brings the clients of every cloud along,
// which take minutes to compile.
package main

import (
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
)

func main() {
	coremain.Run()
}
