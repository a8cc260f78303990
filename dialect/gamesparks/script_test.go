package gamesparks_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/dialect/gamesparks"
)

func TestScriptsAreToldNoSecretAndCannotBreakAResponse(t *testing.T) {
	var told []*gamesparks.Script
	var bring any
	var fail error
	w := newWorld(t, func(o *gamesparks.Options) {
		o.Response = func(_ context.Context, s *gamesparks.Script) error {
			told = append(told, s)
			s.Response["userId"] = "of the script's copy"
			s.ScriptData["brought"] = bring
			return fail
		}
	})
	c := w.sdk(t)
	registration := frame{"userName": "ann", "password": "pa55", "displayName": "Ann"}
	got := c.did("RegistrationRequest", registration)
	require.NotEmpty(t, got["authToken"])
	require.NotEqual(t, "of the script's copy", got["userId"])
	require.Equal(t, got["userId"], told[0].Player)
	require.Equal(t, "ann", told[0].Request["userName"])
	require.NotContains(t, told[0].Request, "password")
	require.NotContains(t, told[0].Response, "authToken")

	bring = func() {} // which has no JSON
	got = c.ask("AccountDetailsRequest", nil)
	require.Equal(t, frame{"@class": ".AccountDetailsResponse", "error": map[string]any{"script": "FAILED"}}, got)

	bring, fail = "x", fmt.Errorf("wrapped: %w", gamesparks.Refusal{"b": "TWO", "a": "ONE"})
	require.ErrorContains(t, fail, "wrapped: a: ONE, b: TWO")
	require.Equal(t, map[string]any{"b": "TWO", "a": "ONE"}, c.ask("AccountDetailsRequest", nil)["error"])
}
