package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What is not the public internet's is not dialled, however it is written.
func TestOnlyAddressesOfThePublicInternetAreDialled(t *testing.T) {
	for _, ip := range []string{
		"127.0.0.1", "127.255.0.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "100.100.100.200", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1",
		"198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
		"64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "2002:ffff::1", "2001:1ff::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
		"fe80::1", "fec0::1", "ff02::1", "4000::1",
	} {
		require.Error(t, checkAddress(netip.AddrPortFrom(netip.MustParseAddr(ip), 443).String()), ip)
	}
	for _, ip := range []string{
		"8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
		"172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"::ffff:8.8.8.8", "2001:4860:4860::8888", "2606:4700:4700::1111", "2001:200::1", "2003::1", "2a00:1450::1",
	} {
		require.NoError(t, checkAddress(netip.AddrPortFrom(netip.MustParseAddr(ip), 443).String()), ip)
	}
	require.Error(t, checkAddress("[fe80::1%eth0]:443"))
	require.Error(t, checkAddress("[2606:4700:4700::1111%eth0"))
	require.Error(t, checkAddress("example.com:443"), "a name could mean another address by then")
}

// An address is taken or refused as the registries of special addresses say, in both forms of IPv4.
func TestAnIPv4AddressMeansTheSameInBothForms(t *testing.T) {
	special := make([]netip.Prefix, 0, 16)
	for _, p := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
		"192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	} {
		special = append(special, netip.MustParsePrefix(p))
	}
	rapid.Check(t, func(t *rapid.T) {
		four := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address"))
		if rapid.Bool().Draw(t, "within") {
			p := rapid.SampledFrom(special).Draw(t, "network").Addr().As4()
			copy(four[:2], p[:2])
		}
		is := false
		for _, p := range special {
			is = is || p.Contains(netip.AddrFrom4(four))
		}
		refused := func(ip netip.Addr) bool { return checkAddress(netip.AddrPortFrom(ip, 80).String()) != nil }
		require.Equal(t, is, refused(netip.AddrFrom4(four)))
		require.Equal(t, is, refused(netip.AddrFrom16(netip.AddrFrom4(four).As16())))
		embedded := func(prefix string) netip.Addr {
			six := netip.MustParseAddr(prefix).As16()
			copy(six[12:], four[:])
			return netip.AddrFrom16(six)
		}
		for _, prefix := range []string{"64:ff9b::", "64:ff9b:1::", "::", "::ffff:0:0:0", "2002::"} {
			require.True(t, refused(embedded(prefix)), prefix)
		}
	})
}

func TestTheAddressOfAReceiverIsChecked(t *testing.T) {
	for _, address := range []string{"https://example.com", "https://example.com/hook?key=x", "https://example.com:8443/", "https://[2606:4700::1]/"} {
		require.NoError(t, CheckURL(address, false), address)
		require.NoError(t, CheckURL(address, true), address)
	}
	require.NoError(t, CheckURL("http://127.0.0.1:8080/hook", true))
	for _, address := range []string{
		"", "example.com", "//example.com", "ftp://example.com", "file:///etc/passwd", "https://", "https:///path", "https:example.com", "https://:443",
		"https://user@example.com", "https://user:word@example.com", "https://example.com/#a", "https://exa mple.com", "https://example.com:port", "gopher://x",
	} {
		require.Error(t, CheckURL(address, true), address)
	}
	require.Error(t, CheckURL("http://example.com", false))
	err := CheckURL("https://user:pass\x7fword@example.com", true)
	require.ErrorContains(t, err, "not a URL")
	require.NotContains(t, err.Error(), "word", "an error repeats no secret")
}

// A server on this host is reached by the private client alone, whatever it is called.
func TestANameThatMeansThisHostIsRefused(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer server.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"} {
		address := fmt.Sprintf("http://%s:%s/", host, port)
		_, err := get(t, NewClient(false), address)
		require.Error(t, err, host)
		if host == "127.0.0.1" || host == "localhost" { // the others may fail otherwise where there is no IPv6
			require.ErrorContains(t, err, "not an address of the public internet", host)
		}
	}
	require.Zero(t, calls.Load(), "nothing may arrive")
	reply, err := get(t, NewClient(true), server.URL)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, reply)
	require.EqualValues(t, 1, calls.Load())
}

func TestARedirectIsAReplyAndIsNotFollowed(t *testing.T) {
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	reply, err := get(t, NewClient(true), server.URL+"/hook")
	require.NoError(t, err)
	require.Equal(t, http.StatusTemporaryRedirect, reply)
	require.Equal(t, []string{"/hook"}, paths)
}

// A proxy would dial for us, and look at no address.
func TestTheClientUsesNoProxyAndHasLimits(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	client := NewClient(false)
	transport, is := client.Transport.(*http.Transport)
	require.True(t, is)
	require.Nil(t, transport.Proxy)
	require.Positive(t, client.Timeout)
	require.Positive(t, transport.TLSHandshakeTimeout)
	require.Positive(t, transport.ResponseHeaderTimeout)
	require.Positive(t, transport.MaxResponseHeaderBytes)
}

func get(t *testing.T, client *http.Client, address string) (int, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	require.NoError(t, err)
	reply, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer reply.Body.Close()
	client.CloseIdleConnections()
	return reply.StatusCode, nil
}
