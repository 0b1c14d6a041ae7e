package store

import "context"

// Room is what a log takes and may take, in bytes, and how much of its room that is, in
// percent: of its limit or of its disk, whichever is worse.
type Room struct {
	Used, Limit int64
	Percent     int
}

// meter counts what a log takes between two looks at the server. It may be wrong by one
// part in meterEvery of the limit.
type meter struct{ used, limit, grown int64 }

const meterEvery = 200

// Room is Usage for whoever asks at each event: it asks the server only now and then, and
// counts in between. The zero Room if the server does not answer.
func (l *JetLog) Room() Room {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.meter; m.limit == 0 || m.grown > m.limit/meterEvery {
		ctx, cancel := context.WithTimeout(context.Background(), l.store.cfg.Timeout)
		defer cancel()
		used, limit, err := l.Usage(ctx)
		if err != nil {
			return Room{}
		}
		l.meter = meter{used: used, limit: limit}
	}
	r := Room{Used: l.meter.used + l.meter.grown, Limit: l.meter.limit}
	r.Percent = int(min(100, r.Used*100/r.Limit))
	if free, err := l.store.cfg.free(l.store.cfg.Dir); err == nil {
		r.Limit = min(r.Limit, r.Used+max(0, free-diskFloor))
		r.Percent = max(r.Percent, diskPercent(free))
	}
	return r
}

// diskPercent is how much of its room a disk with so many free bytes has given away: 80
// where less is free than is reserved, 95 at half of that, and 100 where nothing is
// appended any more. So what is kept back on the disk is for the same things as what is
// kept back in the log, whoever fills it.
func diskPercent(free int64) int {
	const half = diskReserve / 2
	switch {
	case free <= diskFloor:
		return 100
	case free <= half:
		return int(95 + 5*(half-free)/(half-diskFloor))
	}
	return int(max(0, 80+15*(diskReserve-free)/half))
}
