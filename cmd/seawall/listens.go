package main

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"seawall/conf"
)

// probeListens tries to bind each TCP address of cfg that is not in running, and lets go of it at once. The errors are
// worded like nginx's, one per address that cannot be had.
//
// The loops listen with SO_REUSEPORT, under which a second server started by mistake would quietly get a share of the
// connections; a bind without it tells. Addresses with `reuseport` are left out: there the sharing is asked for.
func probeListens(cfg *conf.Config, running *conf.Config) []error {
	known := map[string]bool{}
	for _, l := range tcpListens(running) {
		known[l.Addr] = true
	}
	var errs []error
	for _, l := range tcpListens(cfg) {
		if known[l.Addr] || l.ReusePort {
			continue
		}
		known[l.Addr] = true
		if err := tryBind(l.AddrPort, l.IPv6Only); err != nil {
			errs = append(errs, &systemError{"bind() to " + l.Addr, err})
		}
	}
	return errs
}

func tcpListens(cfg *conf.Config) []conf.Listen {
	if cfg == nil || cfg.HTTP == nil {
		return nil
	}
	var listens []conf.Listen
	for _, s := range cfg.HTTP.Servers {
		for _, l := range s.Listens {
			if l.AddrPort.IsValid() {
				listens = append(listens, l)
			}
		}
	}
	return listens
}

func tryBind(addr netip.AddrPort, v6only bool) error {
	family := unix.AF_INET
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(addr.Port()), Addr: as4(addr.Addr())}
	if !addr.Addr().Is4() {
		family = unix.AF_INET6
		sa = &unix.SockaddrInet6{Port: int(addr.Port()), Addr: addr.Addr().As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		return nil // the engine's own attempt says so with the right words
	}
	if err != nil {
		return fmt.Errorf("socket(): %w", err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if family == unix.AF_INET6 && v6only {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return err
		}
	}
	return unix.Bind(fd, sa)
}

func as4(a netip.Addr) [4]byte {
	if !a.Is4() {
		return [4]byte{}
	}
	return a.As4()
}

// addressTaken tells whether all of errs say that somebody else has the address: the one failure worth waiting for, as a
// predecessor may be about to end.
func addressTaken(errs []error) bool {
	for _, err := range errs {
		if !errors.Is(err, syscall.EADDRINUSE) {
			return false
		}
	}
	return len(errs) > 0
}
