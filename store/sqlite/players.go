package sqlite

import (
	"context"
	"iter"

	"github.com/finalbell/finalbell/store"
)

func (s *Store) Sessions(context.Context, store.SessionQuery) iter.Seq2[store.Session, error] {
	return func(func(store.Session, error) bool) {}
}

func (s *Store) Rooms(context.Context, store.RoomQuery) iter.Seq2[store.Room, error] {
	return func(func(store.Room, error) bool) {}
}
