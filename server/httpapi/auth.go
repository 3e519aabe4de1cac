package httpapi

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/akidb/akidb/internal/pgerr"
)

// keptPasswords bounds what the cache of checked passwords holds.
const keptPasswords = 1000

// passwords remembers passwords that were right, since to check one takes
// thousands of hashes. It holds a keyed hash, never a password, and the verifier
// is a part of what is hashed: a new password is checked anew.
type passwords struct {
	key    [sha256.Size]byte
	verify func(verifier, password string) bool

	mu    sync.Mutex
	right map[[sha256.Size]byte]bool
}

func newPasswords(verify func(verifier, password string) bool) *passwords {
	p := &passwords{verify: verify, right: map[[sha256.Size]byte]bool{}}
	_, _ = rand.Read(p.key[:]) // never fails (crypto/rand)
	return p
}

func (p *passwords) check(user, verifier, password string) bool {
	mac := hmac.New(sha256.New, p.key[:])
	for _, part := range []string{user, "\x00", verifier, "\x00", password} {
		_, _ = mac.Write([]byte(part)) // a hash takes everything
	}
	var sum [sha256.Size]byte
	mac.Sum(sum[:0])
	p.mu.Lock()
	known := p.right[sum]
	p.mu.Unlock()
	if known {
		return true
	}
	if !p.verify(verifier, password) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.right) >= keptPasswords {
		clear(p.right)
	}
	p.right[sum] = true
	return true
}

// user finds out who asks. A client at a trusted address needs no password, unless
// the request may come from elsewhere: through a proxy, or from a web page that
// has given this address a name of its own.
func (a *API) user(r *http.Request) (string, error) {
	if a.opts.TLSRequired && r.TLS == nil && !loopback(r) {
		return "", fail(http.StatusForbidden, pgerr.New(pgerr.InvalidAuthorization, "this server takes connections with TLS only").
			WithHint("http_tls = true lets the HTTP port speak it."))
	}
	name, password, given := r.BasicAuth()
	if !given {
		name = a.opts.User
	}
	verifier, canLogin, exists := a.opts.Admin.Verifier(name)
	if a.opts.AuthMethod(remoteAddr(r)) == "scram-sha-256" || forwarded(r) || !localName(r.Host) {
		if !given {
			return "", pgerr.New(pgerr.InvalidAuthorization, "no password given").WithHint("Send the role's name and password with HTTP Basic.")
		}
		if !a.passwords.check(name, verifier, password) || !exists {
			return "", pgerr.Newf(pgerr.InvalidPassword, "password authentication failed for user %q", name)
		}
	}
	switch {
	case !exists:
		return "", pgerr.Newf(pgerr.InvalidAuthorization, "role %q does not exist", name)
	case !canLogin:
		return "", pgerr.Newf(pgerr.InvalidAuthorization, "role %q is not permitted to log in", name)
	}
	return name, nil
}

// remoteAddr is the client's address in the form that the configuration asks about.
func remoteAddr(r *http.Request) net.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return &net.UnixAddr{Name: r.RemoteAddr}
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
}

func loopback(r *http.Request) bool {
	a, ok := remoteAddr(r).(*net.TCPAddr)
	return ok && a.IP.IsLoopback() && !forwarded(r)
}

func forwarded(r *http.Request) bool {
	return r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("X-Real-Ip") != ""
}

// localName says whether a Host header is an address or localhost: no name server
// can make those point here.
func localName(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return host == "" || strings.EqualFold(host, "localhost") || net.ParseIP(host) != nil
}
