package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// The limits of a call to somebody else's server.
const (
	dialTimeout   = 5 * time.Second
	headerTimeout = 10 * time.Second
	callTimeout   = 20 * time.Second
	maxHeaders    = 64 << 10
)

// NewClient is a client for an address that somebody else has chosen. It follows no redirect, uses no proxy, and connects only to
// addresses of the public internet, looked at when they are dialled, so that a name cannot mean another one by then. Private
// lets it call its own host and network too, and without TLS: for tests and for a receiver next door.
func NewClient(private bool) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if private {
			return nil
		}
		return checkAddress(address)
	}}
	return &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    dialTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			MaxResponseHeaderBytes: maxHeaders,
			IdleConnTimeout:        time.Minute,
			MaxConnsPerHost:        16,
			ForceAttemptHTTP2:      true,
		},
	}
}

// CheckURL takes the address of a receiver: https, and http where private is allowed, with a host and without a password or
// a fragment.
func CheckURL(address string, private bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("not a URL")
	case u.Scheme != "https" && !(private && u.Scheme == "http"):
		return errors.New("expected https, or http where private is allowed")
	case u.Hostname() == "" || u.Opaque != "":
		return errors.New("a host is missing")
	case u.User != nil:
		return errors.New("it may not name a user or a password")
	case u.Fragment != "":
		return errors.New("it may not have a fragment")
	}
	return nil
}

// unicast6 is what there is of IPv6 on the public internet so far. What is outside of it may carry an IPv4 address, any of them
// (64:ff9b::/96, ::ffff:0:0:0/96, ::/96), or be a network's own.
var unicast6 = netip.MustParsePrefix("2000::/3")

// reserved are the networks that are not the public internet's and that netip does not tell, by
// https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // shared by providers
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"), // of it 2001::/32 carries IPv4 addresses,
	netip.MustParsePrefix("2002::/16"), // and so does this
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("3fff::/20"),
}

// checkAddress refuses what is about to be dialled if it is not an address of the public internet.
func checkAddress(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: not an address", address)
	}
	ip := at.Addr().Unmap().WithZone("")
	public := ip.IsGlobalUnicast() && !ip.IsPrivate() && (ip.Is4() || unicast6.Contains(ip))
	for _, network := range reserved {
		public = public && !network.Contains(ip)
	}
	if !public {
		return fmt.Errorf("%s: not an address of the public internet", ip)
	}
	return nil
}
