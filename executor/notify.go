package executor

import (
	"github.com/akidb/akidb/internal/pgerr"
)

// maxNotifyPayload is PostgreSQL's limit in bytes.
const maxNotifyPayload = 8000

// listen takes effect when the transaction commits, as do unlisten and notifications.
func (s *session) listen(channel string) error {
	s.atCommit = append(s.atCommit, func() {
		e := s.engine
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.channels[channel] == nil {
			e.channels[channel] = map[*session]bool{}
		}
		e.channels[channel][s] = true
	})
	return nil
}

func (s *session) unlisten(channel string) error {
	s.atCommit = append(s.atCommit, func() {
		e := s.engine
		e.mu.Lock()
		defer e.mu.Unlock()
		for name, set := range e.channels {
			if channel == "*" || channel == name {
				delete(set, s)
				if len(set) == 0 {
					delete(e.channels, name)
				}
			}
		}
	})
	return nil
}

// notifyStatement is NOTIFY and pg_notify.
func (s *session) notifyStatement(channel, payload string) error {
	if channel == "" {
		return pgerr.New(pgerr.InvalidParameterValue, "channel name cannot be empty")
	}
	if len(channel) > 63 {
		return pgerr.New(pgerr.InvalidParameterValue, "channel name too long")
	}
	if len(payload) >= maxNotifyPayload {
		return pgerr.New(pgerr.InvalidParameterValue, "payload string too long")
	}
	s.atCommit = append(s.atCommit, func() {
		e := s.engine
		e.mu.RLock()
		var to []*session
		for listener := range e.channels[channel] {
			to = append(to, listener)
		}
		e.mu.RUnlock()
		for _, listener := range to {
			listener.opts.Notify(s.opts.PID, channel, payload)
		}
	})
	return nil
}
