package gamesparks

import (
	"context"
	"errors"

	"github.com/finalbell/finalbell/internal/web"
)

// maxPassword is how many bytes a password may have.
const maxPassword = 1024

// authenticateDevice serves .DeviceAuthenticationRequest. Any deviceOS is taken: the list of the original is older than its SDKs.
func (x *exchange) authenticateDevice(ctx context.Context) error {
	r := &x.request
	device, displayName := r.needed("deviceId"), r.name("displayName", false)
	r.name("deviceOS", true)
	if len(device) > maxPassword {
		r.wrong["deviceId"] = "INVALID"
	}
	if err := r.done(); err != nil {
		return err
	}
	a, err := x.server.options.Accounts.Device(ctx, device, displayName)
	if err != nil {
		return err
	}
	return x.signIn(ctx, a)
}

// authenticate serves .AuthenticationRequest.
func (x *exchange) authenticate(ctx context.Context) error {
	userName, password, err := x.credentials()
	if err != nil {
		return err
	}
	if x.connection != nil && x.connection.failures >= maxFailures || !x.server.attempts.try(userName) {
		return Refusal{"DETAILS": "LOCKED"}
	}
	a, err := x.server.options.Accounts.LogIn(ctx, userName, password)
	switch {
	case err == nil:
		x.server.attempts.succeeded(userName)
	case !errors.Is(err, ErrUnrecognised): // it was not looked at
		x.server.attempts.takeBack(userName)
	case x.connection != nil:
		x.connection.failures++
	}
	if err != nil {
		return err
	}
	return x.signIn(ctx, a)
}

// register serves .RegistrationRequest.
func (x *exchange) register(ctx context.Context) error {
	displayName := x.request.name("displayName", true)
	userName, password, err := x.credentials()
	if err != nil {
		return err
	}
	a, err := x.server.options.Accounts.Register(ctx, userName, password, displayName)
	if err != nil {
		return err
	}
	return x.signIn(ctx, a)
}

func (x *exchange) credentials() (userName, password string, err error) {
	r := &x.request
	userName, password = r.name("userName", true), r.needed("password")
	if len(password) > maxPassword {
		r.wrong["password"] = "INVALID"
	}
	return userName, password, r.done()
}

// signIn makes a player the one of the connection, and answers. A server gets the token alone: it is nobody's device.
func (x *exchange) signIn(ctx context.Context, a Account) error {
	token, err := x.server.options.Accounts.Token(ctx, a.Player)
	if err == nil && x.connection != nil && !x.trusted {
		if err = x.server.options.Access.Count(a.Player); err == nil {
			err = x.connection.enter(ctx, a.Player, false)
		}
	}
	if err != nil {
		return err
	}
	web.Called(ctx, a.Player)
	x.player = a.Player
	x.reply["authToken"], x.reply["userId"] = token, a.Player
	x.reply["displayName"], x.reply["newPlayer"] = a.DisplayName, a.New
	return nil
}
