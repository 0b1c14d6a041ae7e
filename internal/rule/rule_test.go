package rule

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each stream is a sentence of the rule. find lists what is broken; nothing means
// that the stream holds.
var specification = map[string][]struct {
	name   string
	stream string
	find   []string
}{
	"RS1": {
		{
			name:   "a stop and nothing behind it holds",
			stream: `start; silent a1; stop`,
		},
		{
			name: "what a runner says of an attempt that the tap relays is nobody's act",
			stream: `start; ask a1; attempt.abandoned a1 by=/runner/robo-1
				attempt.permitted a1; attempt.failed a1 by=/runner/robo-1; dial.started a1; dial.connected a1; attempt.succeeded a1`,
		},
		{
			name:   "a permit while stopped is a violation, and its dial is the same one",
			stream: `start; silent a1; stop; dial a2`,
			find:   []string{"RS1 attempt.permitted a2 <- restart.required"},
		},
		{
			name:   "every permit while stopped is one",
			stream: `start; silent a1; stop; silent a2; dial a3`,
			find: []string{
				"RS1 attempt.permitted a2 <- restart.required",
				"RS1 attempt.permitted a3 <- restart.required",
			},
		},
		{
			name:   "a dial without a permit while stopped is one, and of RS5 too",
			stream: `start; silent a1; stop; dial.started a2`,
			find: []string{
				"RS1 dial.started a2 <- restart.required",
				"RS5 dial.started a2",
			},
		},
		{
			name:   "a claim, an observation and a rejection open nothing",
			stream: `start; silent a1; stop; restart.claimed; gateway.observed; restart.rejected; dial a2`,
			find:   []string{"RS1 attempt.permitted a2 <- restart.required"},
		},
		{
			name:   "after a release the gate is open",
			stream: `start; silent a1; stop; resume; +30s ready a2`,
		},
		{
			name:   "the next stop counts from the next stop",
			stream: `start; silent a1; stop; resume; +30s ready a2; silent a3; stop; dial a4`,
			find:   []string{"RS1 attempt.permitted a4 <- restart.required"},
		},
		{
			name:   "clients that are counted without their names break nothing",
			stream: `start; silent a1; stop; attempt.denied count=600; attempt.denied count=40`,
		},
		{
			name: "a runner that was told so at our port went around nothing, and what it was told is no sign of life",
			stream: `start; silent a1; stop; attempt.denied count=1; +10s attempt.requested r1 by=/runner/robo-1
				attempt.failed r1 by=/runner/robo-1 reason=error_before_ready code=70503`,
		},
		{
			name: "but one that was told something else did",
			stream: `start; silent a1; stop; attempt.denied count=1; +10s attempt.requested r1 by=/runner/robo-1
				attempt.failed r1 by=/runner/robo-1 reason=error_before_ready code=504`,
			find: []string{"RS1 attempt.failed r1 <- restart.required, attempt.requested r1 [bypassed]"},
		},
		{
			name: "what was told at our port leaves a silence before it as it was",
			stream: `start silent_limit=2; silent a1; +10s attempt.requested r1 by=/runner/robo-1
				attempt.failed r1 by=/runner/robo-1 reason=error_before_ready code=70503; silent a2; stop`,
		},
		{
			name:   "clients that ask and are denied while stopped break nothing",
			stream: `start; silent a1; stop; ask a2; attempt.denied a2; client.closed conn=c-a2`,
		},
		{
			name: "a dial that is recorded after the stop belongs to its permit of before the stop",
			stream: `start; ask a1; attempt.permitted a1
				gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported
				dial.started a1; dial.connected a1; +30s attempt.failed a1`,
		},
		{
			name:   "a runner that connects by itself while stopped went around the recorder",
			stream: `start; silent a1; stop; +10s attempt.requested r1 by=/runner/robo-1; attempt.failed r1 by=/runner/robo-1`,
			find:   []string{"RS1 attempt.failed r1 <- restart.required, attempt.requested r1 [bypassed]"},
		},
		{
			name:   "even if it succeeds",
			stream: `start; silent a1; stop; +10s attempt.succeeded r1 by=/runner/robo-1; gateway.contradicted ends=false`,
			find:   []string{"RS1 attempt.succeeded r1 <- restart.required [bypassed]"},
		},
		{
			name:   "a report of an attempt that was asked for before the stop comes late and breaks nothing",
			stream: `start; attempt.requested r1 by=/runner/robo-1; silent a1; stop; attempt.failed r1 by=/runner/robo-1`,
		},
		{
			name:   "so does one whose duration says that it began before the stop",
			stream: `start; silent a1; stop; +10s attempt.failed r1 by=/runner/robo-1 limit_ms=20000`,
		},
		{
			name:   "and one that is about what the tap saw, by its local port",
			stream: `start; silent a1; stop; +40s client.opened conn=c9 peer=127.0.0.1:51234; attempt.requested r1 by=/runner/robo-1 local_port=51234; attempt.failed r1 by=/runner/robo-1 reason=closed_before_ready`,
		},
		{
			name:   "a runner that was refused met the closed port of the recorder",
			stream: `start; silent a1; stop; +40s attempt.failed r1 by=/runner/robo-1 reason=refused stage=dial`,
		},
		{
			name:   "a runner that dials with a permit of its own went around nobody",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; +30s attempt.failed r1 by=/runner/robo-1; stop`,
		},
		{
			name:   "nor does what it tells of that attempt after its end, or after the lease's",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; attempt.requested r2 by=/runner/robo-1 lease_ms=60000; attempt.denied r2 reason=in_flight; +30s attempt.failed r1 by=/runner/robo-1; stop; attempt.failed r1 by=/runner/robo-1; attempt.abandoned r1 by=/runner/robo-1`,
		},
		{
			name:   "another runner's attempt of the same name is another one",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; gateway.down reason=reported by=/runner/robo-3; restart.required reason=reported; attempt.succeeded r1 by=/runner/robo-2`,
			find:   []string{"RS1 attempt.succeeded r1 <- restart.required [bypassed]"},
		},
		{
			name:   "one that was denied and dials all the same went around the recorder",
			stream: `start; silent a1; stop; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.denied r1; +30s attempt.failed r1 by=/runner/robo-1`,
			find:   []string{"RS1 attempt.failed r1 <- restart.required, attempt.requested r1 [bypassed]"},
		},
		{
			name:   "a session that a runner has by itself is one",
			stream: `start; silent a1; stop; +10s session.established r1 by=/runner/robo-1`,
			find:   []string{"RS1 session.established r1 <- restart.required [bypassed]"},
		},
		{
			name:   "but not again that of an attempt that it has told of",
			stream: `start; attempt.succeeded r1 by=/runner/robo-1; gateway.down reason=reported by=/runner/robo-2; restart.required reason=reported; session.established r1 by=/runner/robo-1`,
		},
		{
			name:   "nor that of an attempt of the tap",
			stream: `start; ready a1; gateway.down reason=reported by=/runner/robo-2; restart.required reason=reported; session.established a1 by=/runner/robo-1; attempt.succeeded a1 by=/runner/robo-1`,
		},
		{
			name:   "also when that is over",
			stream: `start; ready a1; client.closed conn=c-a1; gateway.down reason=reported by=/runner/robo-2; restart.required reason=reported; session.established a1 by=/runner/robo-1`,
		},
		{
			name:   "a contradiction does not end a stop that is enforced",
			stream: `start; silent a1; stop; gateway.contradicted ends=false; dial a2`,
			find:   []string{"RS1 attempt.permitted a2 <- restart.required"},
		},
		{
			name:   "in observe mode it is what would have been",
			stream: `start mode=observe; silent a1 enforced=false; stop enforced=false; dial a2 enforced=false`,
			find:   []string{"RS1 attempt.permitted a2 <- restart.required [observed]"},
		},
		{
			name:   "and a success ends the stop",
			stream: `start mode=observe; silent a1 enforced=false; stop enforced=false; ready a2 enforced=false; gateway.contradicted; ready a3 enforced=false`,
			find:   []string{"RS1 attempt.permitted a2 <- restart.required [observed]"},
		},
		{
			name:   "even a stop that was enforced before",
			stream: `start; silent a1; stop; policy.loaded mode=observe; ready a2 enforced=false; gateway.contradicted; policy.loaded; ready a3`,
			find: []string{
				"RS1 attempt.permitted a2 <- restart.required [observed]",
				"RS7 attempt.permitted a2 <- restart.required, policy.loaded [observed]",
			},
		},
		{
			name:   "a stop of observe mode stands when the policy is enforced",
			stream: `start mode=observe; silent a1 enforced=false; stop enforced=false; policy.loaded; dial a2`,
			find: []string{
				"RS1 attempt.permitted a2 <- restart.required",
				"RS7 attempt.permitted a2 <- restart.required, policy.loaded",
			},
		},
		{
			name:   "and no success ends it then",
			stream: `start mode=observe; silent a1 enforced=false; stop enforced=false; policy.loaded; gateway.contradicted ends=false; dial a2`,
			find: []string{
				"RS1 attempt.permitted a2 <- restart.required",
				"RS7 attempt.permitted a2 <- restart.required, policy.loaded",
			},
		},
		{
			name:   "a permit of before the stop is void in a later run",
			stream: `start; ask a1; attempt.permitted a1; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; crash unfinished=a1; dial.started a1`,
			find:   []string{"RS1 dial.started a1 <- restart.required", "RS5 dial.started a1 <- attempt.permitted a1, recorder.started"},
		},
	},
	"RS2": {
		{
			name:   "a silence that its runner met with a lease counts as any",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; +30s attempt.failed r1 by=/runner/robo-1; ready a2`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed r1"},
		},
		{
			name:   "one that is told after the lease has expired may count, and need not",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; +60s attempt.unknown r1 reason=lease_expired by=/recorder; attempt.failed r1 by=/runner/robo-1; ready a2; attempt.requested r3 by=/runner/robo-1 lease_ms=60000; attempt.permitted r3; +60s attempt.unknown r3 reason=lease_expired by=/recorder; attempt.failed r3 by=/runner/robo-1; stop`,
		},
		{
			name:   "by default one silent attempt makes the stop due",
			stream: `start; silent a1; dial a2`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "it is told once, and the attempt after that is no other one",
			stream: `start; silent a1; silent a2; dial a3`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "silence after startAPI counts as silence before the version does",
			stream: `start; silent a1 reason=version_no_ready stage=started; dial a2`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "lenient takes three in a row",
			stream: `start silent_limit=3; silent a1; silent a2; silent a3; dial a4`,
			find:   []string{"RS2 attempt.permitted a4 <- attempt.failed a1, attempt.failed a2, attempt.failed a3"},
		},
		{
			name:   "a success in between begins the row again",
			stream: `start silent_limit=3; silent a1; silent a2; ready a3; silent a4; silent a5; dial a6`,
		},
		{
			name:   "a client that left early, one without startAPI and an unknown end do not",
			stream: `start silent_limit=2; silent a1; dial a2; attempt.abandoned a2; dial a3; attempt.failed a3 reason=no_start_api stage=versioned; dial a4; attempt.unknown a4; silent a5; dial a6`,
			find:   []string{"RS2 attempt.permitted a6 <- attempt.failed a1, attempt.failed a5"},
		},
		{
			name: "what explains itself or proves nothing never stops",
			stream: `start
				dial a1; attempt.failed a1 reason=refused stage=dial
				dial a2; attempt.failed a2 reason=client_id_in_use stage=started code=326
				dial a3; attempt.failed a3 reason=disclaimer_pending stage=started code=10141
				dial a4; attempt.failed a4 reason=fin_before_version
				dial a5; attempt.failed a5 reason=rst_before_version
				dial a6; attempt.failed a6 reason=bad_version
				dial a7; attempt.failed a7 reason=no_start_api stage=versioned
				dial a8; attempt.failed a8 reason=error_before_ready stage=started
				dial a9; attempt.failed a9 reason=unreachable stage=dial
				dial a10; attempt.abandoned a10
				gateway.notice code=1100; gateway.notice code=1102; gateway.notice code=2110
				dial a11`,
		},
		{
			name: "three dials in a row that time out make it due",
			stream: `start
				dial a1; attempt.failed a1 reason=dial_timeout stage=dial
				dial a2; attempt.failed a2 reason=dial_timeout stage=dial
				dial a3; attempt.failed a3 reason=dial_timeout stage=dial
				dial a4`,
			find: []string{"RS2 attempt.permitted a4 <- attempt.failed a1, attempt.failed a2, attempt.failed a3"},
		},
		{
			name: "closes before the version only if the policy limits them",
			stream: `start closed_limit=2
				dial a1; attempt.failed a1 reason=fin_before_version; dial a2; attempt.failed a2 reason=rst_before_version; dial a3`,
			find: []string{"RS2 attempt.permitted a3 <- attempt.failed a1, attempt.failed a2"},
		},
		{
			name:   "an acceptor that hangs makes it due by itself",
			stream: `start; wedged; dial a1`,
			find:   []string{"RS2 attempt.permitted a1 <- gateway.observed"},
		},
		{
			name:   "also in a probation",
			stream: `start; silent a1; stop; resume; +30s wedged; dial a2`,
			find:   []string{"RS2 attempt.permitted a2 <- gateway.observed"},
		},
		{
			name:   "and within a minute",
			stream: `start; wedged; +61s gateway.notice`,
			find:   []string{"RS2 gateway.notice <- gateway.observed"},
		},
		{
			name:   "the budget is the policy's",
			stream: `start version_budget_ms=45000; wedged; dial a1`,
		},
		{
			name:   "four samples show nothing",
			stream: `start; wedged wedged_samples=4; dial a1`,
		},
		{
			name:   "nor does a forwarder that hangs, or one of whom nobody knows",
			stream: `start; wedged owner=other; wedged owner=unknown; wedged listening=unknown; dial a1`,
		},
		{
			name:   "a runner that says the Gateway is down makes it due",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; dial a1`,
			find:   []string{"RS2 attempt.permitted a1 <- gateway.down"},
		},
		{
			name:   "a reported silence counts if the reporter waited ten seconds",
			stream: `start; attempt.failed r1 by=/runner/robo-1 limit_ms=10000; dial a1`,
			find:   []string{"RS2 attempt.permitted a1 <- attempt.failed r1"},
		},
		{
			name:   "and does not if it waited less",
			stream: `start; attempt.failed r1 by=/runner/robo-1 limit_ms=9999; dial a1`,
		},
		{
			name:   "a reported timeout counts if it names a stage after the connect",
			stream: `start; attempt.failed r1 by=/runner/robo-1 reason=reported_timeout stage=connected limit_ms=20000; dial a1`,
			find:   []string{"RS2 attempt.permitted a1 <- attempt.failed r1"},
		},
		{
			name:   "a report and the tap's own sight of one attempt are not counted twice",
			stream: `start silent_limit=2; attempt.requested r1 by=/runner/robo-1 local_port=50000; silent a1; attempt.failed r1 by=/runner/robo-1 limit_ms=30000; dial a2`,
		},
		{
			name:   "nor are they if only the times tell",
			stream: `start silent_limit=2; silent a1; attempt.failed r1 by=/runner/robo-1 limit_ms=30000; dial a2`,
		},
		{
			name:   "a crash between the evidence and the decision does not lose it",
			stream: `start; silent a1; crash; dial a2`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "the next run may decide it",
			stream: `start; silent a1; crash; stop`,
		},
		{
			name:   "a minute without a decision is late, although nobody asked to dial",
			stream: `start; silent a1; +60s gateway.notice; +1s gateway.notice`,
			find:   []string{"RS2 gateway.notice <- attempt.failed a1"},
		},
		{
			name:   "a permit after it is worse, and told beside it, once",
			stream: `start; silent a1; +60s gateway.notice; +1s gateway.notice; dial a2; attempt.failed a2 reason=refused stage=dial; dial a3`,
			find:   []string{"RS2 gateway.notice <- attempt.failed a1", "RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "the first silent attempt after a release does not stop",
			stream: `start; silent a1; stop; resume; +30s silent a2; +30s ready a3`,
		},
		{
			name:   "the last one does",
			stream: `start probation_attempts=3; silent a1; stop; resume; +30s silent a2; +30s silent a3; +30s silent a4; +30s dial a5`,
			find: []string{
				"RS2 attempt.permitted a5 <- attempt.failed a2, attempt.failed a3, attempt.failed a4",
				"RS3 attempt.permitted a5 <- attempt.failed a2, attempt.failed a3, attempt.failed a4",
			},
		},
		{
			name:   "a dial without a permit is too late as well",
			stream: `start; silent a1; dial.started a2`,
			find:   []string{"RS2 dial.started a2 <- attempt.failed a1", "RS5 dial.started a2"},
		},
		{
			name:   "another policy counts from the next failure",
			stream: `start silent_limit=3; silent a1; policy.loaded; silent a2; dial a3`,
			find:   []string{"RS2 attempt.permitted a3 <- attempt.failed a1, attempt.failed a2"},
		},
		{
			name:   "in observe mode it is what would have been",
			stream: `start mode=observe; silent a1 enforced=false; dial a2 enforced=false`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1 [observed]"},
		},
		{
			name:   "which does not hide a breach once the policy is enforced",
			stream: `start mode=observe; silent a1 enforced=false; ready a2 enforced=false; policy.loaded; ready a3`,
			find: []string{
				"RS2 attempt.permitted a2 <- attempt.failed a1 [observed]",
				"RS2 attempt.permitted a3 <- attempt.failed a1",
			},
		},
		{
			name: "in a history that no recorder saw, whoever connects after the evidence broke the rule",
			stream: `import; policy.loaded
				attempt.failed r1 by=/runner/robo-1; attempt.failed r2 by=/runner/robo-1; attempt.failed r3 by=/runner/robo-1`,
			find: []string{"RS2 attempt.failed r2 <- attempt.failed r1 [bypassed]"},
		},
		{
			name:   "in such a history, what had begun before the evidence is not one of those",
			stream: `import; policy.loaded; attempt.requested r1 by=/runner/robo-1; attempt.requested r2 by=/runner/robo-2; attempt.failed r1 by=/runner/robo-1; attempt.failed r2 by=/runner/robo-2`,
		},
		{
			name:   "in an imported history a restart ends what was due: nobody was there to decide the release",
			stream: `import; policy.loaded; attempt.failed r1 by=/runner/robo-1; restart.claimed; restart.observed; attempt.succeeded r2 by=/runner/robo-1`,
		},
		{
			name:   "and a refused dial is one, for no recorder was there to refuse it",
			stream: `import; policy.loaded; attempt.failed r1 by=/runner/robo-1; attempt.failed r2 by=/runner/robo-1 reason=refused stage=dial`,
			find:   []string{"RS2 attempt.failed r2 <- attempt.failed r1 [bypassed]"},
		},
		{
			name:   "an attempt from before the release says nothing of the Gateway after it",
			stream: `start; dial a1; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; resume; +30s attempt.failed a1; silent a2; +30s ready a3`,
		},
		{
			name:   "nor does it end the probation when it becomes ready",
			stream: `start; dial a1; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; resume; +30s attempt.succeeded a1; silent a2; +30s ready a3`,
		},
		{
			name:   "a success that somebody reports may end a probation",
			stream: `start; silent a1; stop; resume; attempt.succeeded r1 by=/runner/robo-1; +30s silent a2; stop`,
		},
		{
			name:   "or not",
			stream: `start; silent a1; stop; resume; attempt.succeeded r1 by=/runner/robo-1; +30s silent a2; +30s ready a3`,
		},
		{
			name:   "but two silent attempts after it are the last by both readings",
			stream: `start; silent a1; stop; resume; attempt.succeeded r1 by=/runner/robo-1; +30s silent a2; +30s silent a3; +30s dial a4`,
			find:   []string{"RS2 attempt.permitted a4 <- attempt.failed a2, attempt.failed a3"},
		},
		{
			name:   "who reports one attempt twice makes no row of it",
			stream: `start silent_limit=2; attempt.failed r1 by=/runner/robo-1 limit_ms=30000; attempt.failed r1 by=/runner/robo-1 limit_ms=30000; dial a2`,
		},
		{
			name:   "nor undoes it by another word about it",
			stream: `start silent_limit=2; attempt.failed r1 by=/runner/robo-1 limit_ms=30000; attempt.succeeded r1 by=/runner/robo-1; silent a2; stop`,
		},
		{
			name:   "what only observe mode dialled while settling is none of the probation's",
			stream: `start mode=observe; silent a1 enforced=false; stop enforced=false; resume; ask a2; attempt.permitted a2 enforced=false against=settling; attempt.failed a2; policy.loaded; +30s silent a3; +30s ready a4`,
			find:   []string{"RS3 attempt.permitted a2 <- restart.acknowledged [observed]"},
		},
		{
			name:   "the last attempt of a probation counts as silent if nobody knows its end",
			stream: `start; silent a1; stop; resume; +30s silent a2; +60s dial a3; crash unfinished=a3; attempt.unknown a3; +61s gateway.notice`,
			find:   []string{"RS2 gateway.notice <- attempt.failed a2, attempt.unknown a3"},
		},
		{
			name:   "unless a success may have ended the probation before",
			stream: `start; silent a1; stop; resume; +30s silent a2; attempt.succeeded r1 by=/runner/robo-1; +60s dial a3; crash unfinished=a3; attempt.unknown a3; +61s gateway.notice`,
		},
		{
			name:   "by any reading",
			stream: `start; silent a1; stop; resume; attempt.succeeded r1 by=/runner/robo-1; +30s dial a2; crash unfinished=a2; attempt.unknown a2; +60s dial a3; crash unfinished=a3; attempt.unknown a3; +61s gateway.notice`,
		},
		{
			name:   "a success that nobody permitted breaks no row",
			stream: `start silent_limit=2; silent a1; ask a2; attempt.denied a2; attempt.succeeded a2; silent a3; dial a4`,
			find: []string{
				"RS4 attempt.succeeded a2 <- attempt.requested a2",
				"RS2 attempt.permitted a4 <- attempt.failed a1, attempt.failed a3",
			},
		},
		{
			name:   "a budget that was seen to pass is a silence, whatever its end is called",
			stream: `start; dial a1; +30s handshake.timed_out a1; attempt.failed a1 reason=refused stage=dial; dial a2`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "also the one for ready",
			stream: `start; dial a1; +30s handshake.timed_out a1 stage=started; attempt.failed a1 reason=error_before_ready stage=started code=504; dial a2`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "but for an error code that did come",
			stream: `start; dial a1; gateway.notice a1 code=504; +30s handshake.timed_out a1 stage=started; attempt.failed a1 reason=error_before_ready stage=started code=504; dial a2`,
		},
		{
			name:   "which a code of IB's own connectivity is not",
			stream: `start; dial a1; gateway.notice a1 code=1100; +30s handshake.timed_out a1 stage=started; attempt.failed a1 reason=error_before_ready stage=started code=1100; dial a2`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "one that the end does not name explains nothing",
			stream: `start; dial a1; gateway.notice a1 code=504; +30s handshake.timed_out a1 stage=started; attempt.failed a1 reason=error_before_ready stage=started; dial a2`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "for such a code that came after the client had left",
			stream: `start; dial a1; gateway.notice a1 code=504; +30s handshake.timed_out a1 stage=started; attempt.abandoned a1 stage=started answered=true; dial a2`,
		},
		{
			name:   "for bytes that are no version",
			stream: `start; dial a1; +30s handshake.timed_out a1; attempt.failed a1 reason=bad_version gateway_bytes=3; dial a2`,
		},
		{
			name:   "which does not matter once the version has come",
			stream: `start; dial a1; +30s handshake.timed_out a1 stage=started; attempt.failed a1 reason=bad_version stage=started gateway_bytes=3; dial a2`,
			find:   []string{"RS2 attempt.permitted a2 <- attempt.failed a1"},
		},
		{
			name:   "for a budget of another policy that nobody tells",
			stream: `start; dial a1; policy.loaded; handshake.timed_out a1 waited_ms=0 limit_ms=0; attempt.failed a1 reason=refused stage=dial; dial a2`,
		},
		{
			name:   "for a client that never sent its startAPI",
			stream: `start; dial a1; +2s handshake.timed_out a1 stage=versioned waited_ms=2000 limit_ms=2000; attempt.failed a1 reason=no_start_api stage=versioned; dial a2`,
		},
		{
			name:   "and for a recorder that died before it could say",
			stream: `start; dial a1; +30s handshake.timed_out a1; crash unfinished=a1; attempt.unknown a1; dial a2`,
		},
		{
			name:   "the minute begins again with another run",
			stream: `start; silent a1; +50s crash; +60s gateway.notice; +1s gateway.notice`,
			find:   []string{"RS2 gateway.notice <- attempt.failed a1"},
		},
	},
	"RS3": {
		{
			name:   "a permit at the end of the recorded delay holds",
			stream: `start; dial a1; attempt.failed a1 reason=refused stage=dial; retry.scheduled a1; +5s dial a2`,
		},
		{
			name:   "a nanosecond before it does not",
			stream: `start; dial a1; attempt.failed a1 reason=refused stage=dial; retry.scheduled a1; +4999999999ns dial a2`,
			find:   []string{"RS3 attempt.permitted a2 <- retry.scheduled a1"},
		},
		{
			name:   "the trouble of one client makes nobody else wait",
			stream: `start; dial a1; attempt.failed a1 reason=client_id_in_use stage=started; retry.scheduled a1; dial a2`,
		},
		{
			name:   "it alone is not let through before its wait is over",
			stream: `start; used a1; retry.scheduled a1 client_id=7; +4999999999ns up a2`,
			find:   []string{"RS3 handshake.api_started a2 <- retry.scheduled a1"},
		},
		{
			name:   "and is then",
			stream: `start; used a1; retry.scheduled a1 client_id=7; +5s ready a2`,
		},
		{
			name: "others are, and it may be dialled for and turned away",
			stream: `start; used a1; retry.scheduled a1 client_id=7; dial a2; dial.connected a2; handshake.version a2; handshake.api_started a2 client_id=8; attempt.succeeded a2
				dial a3; dial.connected a3; handshake.version a3; attempt.failed a3 reason=client_waits stage=versioned waited_ms=0; ready a4 client_id=9`,
		},
		{
			name:   "to be turned away after its startAPI was passed on is no wait",
			stream: `start; up a1; attempt.failed a1 reason=client_waits stage=versioned waited_ms=0`,
			find:   []string{"RS4 attempt.failed a1 <- attempt.permitted a1, handshake.api_started a1"},
		},
		{
			name:   "a client that leaves after its startAPI waits too",
			stream: `start; up a1; attempt.abandoned a1 stage=started answered=true; retry.scheduled a1 client_id=7; +1s up a2`,
			find:   []string{"RS3 handshake.api_started a2 <- retry.scheduled a1"},
		},
		{
			name:   "one whom an operator hung up on does not",
			stream: `start; up a1; attempt.abandoned a1 stage=started; ready a2`,
		},
		{
			name:   "a client that failed and has no wait",
			stream: `start backoff_base_ms=1000 backoff_cap_ms=60000; used a1; +1h up a2`,
			find:   []string{"RS3 handshake.api_started a2 <- attempt.failed a1"},
		},
		{
			name: "its wait is as long as the policy says",
			stream: `start backoff_base_ms=1000 backoff_cap_ms=3000; used a1; retry.scheduled a1 client_id=7 delay_ms=1000; +1s used a2; retry.scheduled a2 client_id=7 delay_ms=2500
				+3s used a3; retry.scheduled a3 client_id=7 delay_ms=3000; +3s used a4; retry.scheduled a4 client_id=7 delay_ms=3000`,
		},
		{
			name:   "and not shorter",
			stream: `start backoff_base_ms=1000 backoff_cap_ms=3000; used a1; retry.scheduled a1 client_id=7 delay_ms=1000; +1s used a2; retry.scheduled a2 client_id=7 delay_ms=1999`,
			find:   []string{"RS3 retry.scheduled a2 <- attempt.failed a2"},
		},
		{
			name: "ready of that client begins anew, and of another does not",
			stream: `start backoff_base_ms=1000 backoff_cap_ms=3000; used a1; retry.scheduled a1 client_id=7 delay_ms=1000; +1s ready a2; used a3; retry.scheduled a3 client_id=7 delay_ms=1000
				+1s ready a4 client_id=8; used a5; retry.scheduled a5 client_id=7 delay_ms=1000`,
			find: []string{"RS3 retry.scheduled a5 <- attempt.failed a5"},
		},
		{
			name:   "nor does the end of another's session; that of its own does",
			stream: `start; ready a0; ready a1 client_id=8; used a2; retry.scheduled a2 client_id=7; session.lost a1; up a3; attempt.abandoned a3`,
			find:   []string{"RS3 handshake.api_started a3 <- retry.scheduled a2"},
		},
		{
			name:   "whose program may come back as if nobody had tried",
			stream: `start; ready a0; used a1; retry.scheduled a1 client_id=7; session.lost a0; ready a2`,
		},
		{
			name:   "which a runner's word does not do",
			stream: `start; ready a0; used a1; retry.scheduled a1 client_id=7; session.lost a0 by=/runner/robo-1; up a2`,
			find:   []string{"RS3 handshake.api_started a2 <- retry.scheduled a1"},
		},
		{
			name:   "the wait of one client starts again in full with the recorder",
			stream: `start; used a1; retry.scheduled a1 client_id=7; +4s crash; +4s up a2`,
			find:   []string{"RS3 handshake.api_started a2 <- retry.scheduled a1, recorder.started"},
		},
		{
			name:   "but not where the id had a session, which ended with the run",
			stream: `start; ready a0; used a1; retry.scheduled a1 client_id=7; +4s crash; up a2`,
		},
		{
			name:   "while that of another id ends no wait",
			stream: `start; ready a0 client_id=8; used a1; retry.scheduled a1 client_id=7; +4s crash; +4s up a2`,
			find:   []string{"RS3 handshake.api_started a2 <- retry.scheduled a1, recorder.started"},
		},
		{
			name:   "unless that was over",
			stream: `start; used a1; retry.scheduled a1 client_id=7; +5s gateway.notice; crash; up a2`,
		},
		{
			name:   "a release ends it",
			stream: `start; used a1; retry.scheduled a1 client_id=7 delay_ms=60000; silent a2; stop; resume; +30s ready a3`,
		},
		{
			name:   "in observe mode it is what would have been",
			stream: `start mode=observe; used a1 enforced=false; retry.scheduled a1 client_id=7; +1s up a2 enforced=false`,
			find:   []string{"RS3 handshake.api_started a2 <- retry.scheduled a1 [observed]"},
		},
		{
			name:   "what a runner does with its own client is nobody's wait",
			stream: `start; attempt.failed r1 by=/runner/robo-1 reason=client_id_in_use client_id=7; ready a2`,
		},
		{
			name:   "a delay starts again in full with the recorder",
			stream: `start; dial a1; attempt.failed a1 reason=refused stage=dial; retry.scheduled a1; +4s crash; +4s dial a2`,
			find:   []string{"RS3 attempt.permitted a2 <- retry.scheduled a1, recorder.started"},
		},
		{
			name:   "unless it was over",
			stream: `start; dial a1; attempt.failed a1 reason=refused stage=dial; retry.scheduled a1; +5s gateway.notice; crash; +1s dial a2`,
		},
		{
			name:   "a release is given time to settle",
			stream: `start; silent a1; stop; restart.claimed; gateway.observed listening=unknown; restart.acknowledged; +29s dial a2`,
			find:   []string{"RS3 attempt.permitted a2 <- restart.acknowledged"},
		},
		{
			name:   "from the first sight of the listener, if that was earlier",
			stream: `start; silent a1; stop; gateway.observed; +20s resume; +10s ready a2`,
		},
		{
			name:   "the attempts after a release are spaced",
			stream: `start; silent a1; stop; resume; +30s silent a2; +29s dial a3`,
			find:   []string{"RS3 attempt.permitted a3 <- attempt.permitted a2"},
		},
		{
			name:   "no more of them than the policy allows, and an unknown end uses one up",
			stream: `start; silent a1; stop; resume; +30s dial a2; crash unfinished=a2; attempt.unknown a2; +60s silent a3; +30s dial a4`,
			find: []string{
				"RS2 attempt.permitted a4 <- attempt.unknown a2, attempt.failed a3",
				"RS3 attempt.permitted a4 <- attempt.unknown a2, attempt.failed a3",
			},
		},
		{
			name:   "refused dials after a release use none up",
			stream: `start; silent a1; stop; resume; +30s dial a2; attempt.failed a2 reason=refused stage=dial; +60s dial a3; attempt.failed a3 reason=refused stage=dial; +60s ready a4`,
		},
		{
			name:   "without a clock no duration is judged",
			stream: `import; policy.loaded; attempt.failed r1 by=/runner/robo-1 reason=refused stage=dial; retry.scheduled r1; attempt.requested a2; attempt.permitted a2; attempt.succeeded a2`,
		},
		{
			name:   "a policy that shortens the settle time holds at once",
			stream: `start; silent a1; stop; resume; policy.loaded settle_ms=1000; +1s ready a2`,
		},
		{
			name:   "the longer of two delays counts",
			stream: `start; dial a1; attempt.failed a1 reason=refused stage=dial; retry.scheduled a1; retry.scheduled a1 delay_ms=1000; +1s ready a2`,
			find:   []string{"RS3 attempt.permitted a2 <- retry.scheduled a1"},
		},
		{
			name:   "a later one that is longer too",
			stream: `start; dial a1; attempt.failed a1 reason=refused stage=dial; retry.scheduled a1 delay_ms=1000; retry.scheduled a1; +1s ready a2`,
			find:   []string{"RS3 attempt.permitted a2 <- retry.scheduled a1"},
		},
		{
			name:   "a listener seen before the stop is not the one that was waited for",
			stream: `start; gateway.observed; +60s silent a1; stop; restart.claimed; gateway.observed listening=unknown; restart.acknowledged; +1s ready a2`,
			find:   []string{"RS3 attempt.permitted a2 <- restart.acknowledged"},
		},
	},
	"RS4": {
		{
			name:   "a runner's lease takes its turn until it says how its attempt went",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; attempt.succeeded r1 by=/runner/robo-1; ready a2`,
		},
		{
			name:   "and nobody is permitted meanwhile, whatever another runner says",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; attempt.succeeded r1 by=/runner/robo-2; ready a2`,
			find:   []string{"RS4 attempt.permitted a2 <- attempt.permitted r1"},
		},
		{
			name:   "or until it has expired",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; +60s attempt.unknown r1 reason=lease_expired by=/recorder; ready a2`,
		},
		{
			name:   "which it has not before its time",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; +59s attempt.unknown r1 reason=lease_expired by=/recorder; ready a2`,
			find:   []string{"RS4 attempt.unknown r1 <- attempt.permitted r1"},
		},
		{
			name:   "nor with the end of a run, which its runner outlives",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; crash unfinished=r1; +30s attempt.unknown r1`,
			find:   []string{"RS4 attempt.unknown r1 <- attempt.permitted r1"},
		},
		{
			name:   "and in the next run its time begins again",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; crash unfinished=r1; +59s attempt.unknown r1 reason=lease_expired by=/recorder`,
			find:   []string{"RS4 attempt.unknown r1 <- attempt.permitted r1"},
		},
		{
			name:   "in full, and no longer",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; crash unfinished=r1; +60s attempt.unknown r1 reason=lease_expired by=/recorder; ready a2`,
		},
		{
			name:   "and what the tap dials has no lease",
			stream: `start; dial a1; +60s attempt.unknown a1 reason=lease_expired by=/recorder; ready a2`,
			find:   []string{"RS4 attempt.unknown a1 <- attempt.permitted a1"},
		},
		{
			name:   "one after the other holds",
			stream: `start; ready a1; ready a2`,
		},
		{
			name:   "two at once do not, and it is said once",
			stream: `start; dial a1; dial a2; attempt.succeeded a2; dial a3`,
			find:   []string{"RS4 attempt.permitted a2 <- attempt.permitted a1"},
		},
		{
			name:   "a permit is in flight before its dial",
			stream: `start; ask a1; attempt.permitted a1; ask a2; attempt.permitted a2`,
			find:   []string{"RS4 attempt.permitted a2 <- attempt.permitted a1"},
		},
		{
			name:   "an attempt of a run that died is closed before the next",
			stream: `start; dial a1; crash unfinished=a1; attempt.unknown a1; dial a2`,
		},
		{
			name:   "and it is a violation if not",
			stream: `start; dial a1; crash unfinished=a1; dial a2`,
			find:   []string{"RS4 attempt.permitted a2 <- attempt.permitted a1"},
		},
		{
			name:   "an attempt ends once",
			stream: `start; ready a1; attempt.succeeded a1`,
			find:   []string{"RS4 attempt.succeeded a1 <- attempt.permitted a1, attempt.succeeded a1"},
		},
		{
			name:   "and not in a dial that was connected",
			stream: `start; dial a1; dial.connected a1; attempt.failed a1 reason=refused stage=dial`,
			find:   []string{"RS4 attempt.failed a1 <- attempt.permitted a1, dial.connected a1"},
		},
		{
			name:   "nor does what was never permitted",
			stream: `start; ask a1; attempt.denied a1; attempt.succeeded a1`,
			find:   []string{"RS4 attempt.succeeded a1 <- attempt.requested a1"},
		},
		{
			name:   "what never began does not end",
			stream: `start; attempt.failed a1 reason=refused stage=dial`,
			find:   []string{"RS4 attempt.failed a1"},
		},
		{
			name:   "a client that leaves before its turn ends its request",
			stream: `start; ask a1; attempt.abandoned a1 stage=none; ready a2`,
		},
		{
			name:   "a client that lost its turn may go on with its handshake",
			stream: `start; dial a1; handshake.version a1; attempt.failed a1 reason=no_start_api stage=versioned; dial a2; handshake.api_started a1; handshake.ready a1; attempt.failed a2 reason=refused stage=dial`,
		},
		{
			name:   "a runner's report of an attempt of the tap does not end it",
			stream: `start; dial a1; +10s attempt.failed a1 by=/runner/robo-1 limit_ms=10000; +20s attempt.failed a1; stop`,
		},
		{
			name:   "in observe mode it is what would have been",
			stream: `start mode=observe; dial a1 enforced=false; dial a2 enforced=false`,
			find:   []string{"RS4 attempt.permitted a2 <- attempt.permitted a1 [observed]"},
		},
	},
	"RS5": {
		{
			name:   "a report that asks for nothing is no request",
			stream: `start; attempt.requested r1 by=/runner/robo-1; attempt.permitted r1; attempt.succeeded r1 by=/runner/robo-1`,
			find:   []string{"RS5 attempt.permitted r1 <- attempt.requested r1"},
		},
		{
			name:   "a lease is for its runner's dial and not for the recorder's",
			stream: `start; attempt.requested r1 by=/runner/robo-1 lease_ms=60000; attempt.permitted r1; dial.started r1`,
			find:   []string{"RS5 dial.started r1 <- attempt.permitted r1"},
		},
		{
			name:   "request, permit, dial and answer belong together",
			stream: `start; ready a1; client.closed conn=c-a1; ready a2`,
		},
		{
			name:   "a dial without a permit is a violation",
			stream: `start; ask a1; dial.started a1`,
			find:   []string{"RS5 dial.started a1"},
		},
		{
			name:   "a dial with the permit of another attempt is one",
			stream: `start; ask a1; attempt.permitted a1; ask a2; dial.started a2 cause=attempt.permitted@a1`,
			find:   []string{"RS5 dial.started a2"},
		},
		{
			name:   "a dial that does not name its permit is one",
			stream: `start; ask a1; attempt.permitted a1; dial.started a1 cause=none`,
			find:   []string{"RS5 dial.started a1 <- attempt.permitted a1"},
		},
		{
			name:   "a second dial on one permit is one",
			stream: `start; dial a1; dial.started a1`,
			find:   []string{"RS5 dial.started a1 <- attempt.permitted a1, dial.started a1"},
		},
		{
			name:   "a dial after the end of its attempt is one",
			stream: `start; ask a1; attempt.permitted a1; attempt.unknown a1 reason=permit_unused; dial.started a1`,
			find:   []string{"RS5 dial.started a1"},
		},
		{
			name:   "a permit does not outlive the run that gave it",
			stream: `start; ask a1; attempt.permitted a1; crash unfinished=a1; dial.started a1`,
			find:   []string{"RS5 dial.started a1 <- attempt.permitted a1, recorder.started"},
		},
		{
			name:   "a permit that nobody asked for is one",
			stream: `start; attempt.permitted a1`,
			find:   []string{"RS5 attempt.permitted a1"},
		},
		{
			name:   "a request is answered once",
			stream: `start; ready a1; attempt.permitted a1`,
			find:   []string{"RS5 attempt.permitted a1"},
		},
		{
			name:   "a permit that does not name its request is one",
			stream: `start; ask a1; attempt.permitted a1 cause=none`,
			find:   []string{"RS5 attempt.permitted a1 <- attempt.requested a1"},
		},
		{
			name:   "a request does not outlive the run that took it",
			stream: `start; ask a1; crash; attempt.permitted a1`,
			find:   []string{"RS5 attempt.permitted a1 <- attempt.requested a1, recorder.started"},
		},
		{
			name:   "a held client may be permitted later",
			stream: `start; ask a1; attempt.denied a1 reason=backoff; +5s attempt.permitted a1; dial.started a1`,
		},
		{
			name:   "an answer without a dial is a hidden redial",
			stream: `start; ready a1; client.closed conn=c-a1; handshake.version a1`,
			find:   []string{"RS5 handshake.version a1"},
		},
		{
			name:   "and so is a connection without one",
			stream: `start; ask a1; attempt.permitted a1; dial.connected a1`,
			find:   []string{"RS5 dial.connected a1 <- attempt.permitted a1"},
		},
		{
			name:   "no connection outlives the run that dialled it",
			stream: `start; dial a1; crash unfinished=a1; handshake.version a1`,
			find:   []string{"RS5 handshake.version a1 <- attempt.permitted a1, recorder.started"},
		},
		{
			name:   "in observe mode a dial may come before its permit",
			stream: `start mode=observe; ask a1; dial.started a1; attempt.permitted a1 enforced=false`,
			find:   []string{"RS5 dial.started a1 [observed]"},
		},
		{
			name:   "an attempt whose client had left is over with its end",
			stream: `start; dial a1; client.closed conn=c-a1; attempt.abandoned a1; handshake.version a1`,
			find:   []string{"RS5 handshake.version a1"},
		},
		{
			name:   "nor is it answered twice at once",
			stream: `start; ask a1; attempt.permitted a1; attempt.permitted a1`,
			find:   []string{"RS4 attempt.permitted a1 <- attempt.permitted a1", "RS5 attempt.permitted a1"},
		},
	},
	"RS7": {
		{
			name:   "a restart of the recorder does not open the gate",
			stream: `start; silent a1; stop; crash; dial a2`,
			find: []string{
				"RS1 attempt.permitted a2 <- restart.required",
				"RS7 attempt.permitted a2 <- restart.required, policy.loaded",
			},
		},
		{
			name:   "another policy does not",
			stream: `start; silent a1; stop; policy.loaded silent_limit=3; dial a2`,
			find: []string{
				"RS1 attempt.permitted a2 <- restart.required",
				"RS7 attempt.permitted a2 <- restart.required, policy.loaded",
			},
		},
		{
			name:   "a release in a later run does",
			stream: `start; silent a1; stop; crash; resume; +30s ready a2`,
		},
		{
			name:   "a log that takes over a stopped gate carries the stop",
			stream: `recorder.started previous=quarantined old_stopped=true; policy.loaded; restart.required carried=true; resume; +30s ready a1`,
		},
		{
			name:   "and is in breach if it forgets",
			stream: `recorder.started previous=quarantined old_stopped=true; policy.loaded; dial a1`,
			find:   []string{"RS7 attempt.permitted a1 <- recorder.started"},
		},
		{
			name:   "also after a crash in between",
			stream: `recorder.started previous=quarantined old_stopped=true; crash; dial a1`,
			find:   []string{"RS7 attempt.permitted a1 <- recorder.started"},
		},
		{
			name:   "a release raises the epoch",
			stream: `start; silent a1; stop; restart.claimed; gateway.observed; restart.acknowledged epoch=0`,
			find:   []string{"RS7 restart.acknowledged"},
		},
		{
			name:   "by one",
			stream: `start; silent a1; stop; restart.claimed; gateway.observed; restart.acknowledged epoch=2`,
			find:   []string{"RS7 restart.acknowledged"},
		},
		{
			name:   "nothing else does",
			stream: `start; gateway.notice epoch=1`,
			find:   []string{"RS7 gateway.notice"},
		},
		{
			name:   "and it never falls",
			stream: `start; silent a1; stop; resume; gateway.notice epoch=0`,
			find:   []string{"RS7 gateway.notice"},
		},
		{
			name:   "a release without anybody's word has no ground",
			stream: `start; silent a1; stop; restart.acknowledged`,
			find:   []string{"RS7 restart.acknowledged <- restart.required"},
		},
		{
			name:   "a word of before the stop is none",
			stream: `start; restart.claimed; restart.rejected why=not_stopped; silent a1; stop; restart.acknowledged`,
			find:   []string{"RS7 restart.acknowledged <- restart.required"},
		},
		{
			name:   "a restart that nobody observed is none",
			stream: `start; silent a1; stop; restart.claimed; restart.acknowledged basis=observed`,
			find:   []string{"RS7 restart.acknowledged <- restart.required"},
		},
		{
			name:   "an observed one is",
			stream: `start; silent a1; stop; gateway.observed cause=restart.required owner=gateway pid=7 started_ms=1; gateway.observed owner=gateway pid=8 started_ms=2; restart.observed old_pid=7 old_started_ms=1 pid=8 started_ms=2; restart.acknowledged basis=observed by=recorder`,
		},
		{
			name:   "a process with the same start was not restarted",
			stream: `start; silent a1; stop; restart.observed old_pid=7 old_started_ms=1 pid=7 started_ms=1; restart.acknowledged basis=observed by=recorder`,
			find:   []string{"RS7 restart.acknowledged <- restart.required"},
		},
		{
			name:   "a word is worth nothing while the old process listens",
			stream: `start; silent a1; stop; gateway.observed cause=restart.required owner=gateway pid=7 started_ms=1; restart.claimed; gateway.observed owner=gateway pid=7 started_ms=1; restart.acknowledged`,
			find:   []string{"RS7 restart.acknowledged <- restart.required, restart.claimed"},
		},
		{
			name:   "nor while one listens that was read before the stop, if it could not be read for it",
			stream: `start; gateway.observed owner=gateway pid=7 started_ms=1; silent a1; stop; gateway.observed cause=restart.required; restart.claimed; gateway.observed owner=gateway pid=7 started_ms=1; restart.acknowledged`,
			find:   []string{"RS7 restart.acknowledged <- restart.required, restart.claimed"},
		},
		{
			name:   "one that was read for the first time between the stop and the claim may be the new one",
			stream: `start; silent a1; stop; gateway.observed owner=gateway pid=7 started_ms=1; restart.claimed; gateway.observed owner=gateway pid=7 started_ms=1; restart.acknowledged`,
		},
		{
			name:   "an observed restart is one of the process that was read at the stop",
			stream: `start; silent a1; stop; gateway.observed cause=restart.required owner=gateway pid=7 started_ms=1; gateway.observed owner=gateway pid=8 started_ms=2; restart.observed old_pid=9 old_started_ms=1 pid=8 started_ms=2; restart.acknowledged basis=observed by=recorder`,
			find:   []string{"RS7 restart.acknowledged <- restart.required"},
		},
		{
			name:   "a socket that is still the same shows that its process is, whatever the clock was set to",
			stream: `start; silent a1; stop; gateway.observed cause=restart.required owner=gateway pid=7 started_ms=1 socket=inode-1; restart.claimed; gateway.observed owner=gateway pid=7 started_ms=3600000 socket=inode-1; restart.acknowledged`,
			find:   []string{"RS7 restart.acknowledged <- restart.required, restart.claimed"},
		},
		{
			name:   "a socket that was handed to another process is no restart",
			stream: `start; silent a1; stop; gateway.observed cause=restart.required owner=gateway pid=7 started_ms=1 socket=inode-1; gateway.observed owner=gateway pid=8 started_ms=3600000 socket=inode-1; restart.observed old_pid=7 old_started_ms=1 pid=8 started_ms=3600000; restart.acknowledged basis=observed by=recorder`,
			find:   []string{"RS7 restart.acknowledged <- restart.required"},
		},
		{
			name:   "nor is another process of the same moment",
			stream: `start; silent a1; stop; gateway.observed cause=restart.required owner=gateway pid=7 started_ms=1 socket=inode-1; gateway.observed owner=gateway pid=8 started_ms=1 socket=inode-2; restart.observed old_pid=7 old_started_ms=1 pid=8 started_ms=1; restart.acknowledged basis=observed by=recorder`,
			find:   []string{"RS7 restart.acknowledged <- restart.required"},
		},
		{
			name:   "a word is worth nothing while nothing listens",
			stream: `start; silent a1; stop; restart.claimed; gateway.observed listening=no; restart.acknowledged`,
			find:   []string{"RS7 restart.acknowledged <- restart.required, restart.claimed"},
		},
		{
			name:   "nor once it was rejected",
			stream: `start; silent a1; stop; restart.claimed; gateway.observed; restart.rejected; restart.acknowledged`,
			find:   []string{"RS7 restart.acknowledged <- restart.required"},
		},
		{
			name:   "a stop of another log has no process to compare with",
			stream: `recorder.started previous=quarantined old_stopped=true; policy.loaded; restart.required carried=true; gateway.observed cause=restart.required owner=gateway pid=7 started_ms=1; restart.claimed; gateway.observed owner=gateway pid=7 started_ms=1; restart.acknowledged`,
		},
		{
			name:   "a decision is of the mode in force",
			stream: `start; ask a1; attempt.permitted a1 enforced=false`,
			find:   []string{"RS7 attempt.permitted a1 <- policy.loaded"},
		},
		{
			name:   "of whatever mode",
			stream: `start mode=observe; dial a1`,
			find:   []string{"RS7 attempt.permitted a1 <- policy.loaded"},
		},
		{
			name:   "and a stop of the other mode is released as one of this",
			stream: `start mode=observe; stop enforced=false; policy.loaded; restart.acknowledged`,
			find:   []string{"RS9 restart.required <- gateway.down [observed]", "RS7 restart.acknowledged <- restart.required"},
		},
		{
			name:   "an override is asked for",
			stream: `start; silent a1; stop; gateway.observed cause=restart.required owner=gateway pid=7 started_ms=1; restart.claimed override=true; gateway.observed owner=gateway pid=7 started_ms=1; restart.acknowledged basis=override`,
		},
		{
			name:   "and not made up",
			stream: `start; silent a1; stop; restart.claimed; restart.acknowledged basis=override`,
			find:   []string{"RS7 restart.acknowledged <- restart.required, restart.claimed"},
		},
	},
	"RS8": {
		{
			name:   "where nobody subscribes there is nothing to judge",
			stream: `start; silent a1; stop; +61s gateway.notice; +61s gateway.notice; +61s gateway.notice`,
		},
		{
			name:   "it is told in time, and what the channel tells of the end is not the stop again",
			stream: `start; silent a1; stop; +20s alert.delivered; +2m resume; alert.delivered cause=restart.acknowledged; +2m gateway.notice; +2m gateway.notice`,
		},
		{
			name: "a channel that told of the last stop must tell of this one",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered; resume
				gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; +61s gateway.notice; +61s operator.noted; +61s gateway.notice`,
			find: []string{"RS8 operator.noted <- restart.required"},
		},
		{
			name: "each channel for itself",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered; alert.delivered channel=pager; resume
				gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered; +61s gateway.notice; +61s operator.noted; alert.delivered channel=pager`,
			find: []string{"RS8 operator.noted <- restart.required"},
		},
		{
			name: "one that fails is at fault itself",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered; resume
				gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.failed; +61s gateway.notice; +61s gateway.notice`,
		},
		{
			name: "a log that took nothing for an hour takes the alert last",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered; resume
				gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; +1h gateway.notice; +59s gateway.notice; alert.delivered`,
		},
		{
			name: "a stop that is over need not be told",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered; resume
				gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; +50s resume; +61s gateway.notice; +61s gateway.notice`,
		},
		{
			name: "another run may have other channels",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered; resume; crash
				gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; +61s gateway.notice; +61s gateway.notice`,
		},
		{
			name:   "no channel tells of it twice",
			stream: `start; silent a1; stop; alert.delivered; alert.failed channel=pager; alert.delivered channel=pager; alert.delivered`,
			find:   []string{"RS8 alert.delivered <- restart.required"},
		},
		{
			name:   "what a channel confirms is the alert that was raised for the stop",
			stream: `start; silent a1; stop; alert.raised; alert.delivered cause=alert.raised; alert.failed channel=pager cause=alert.raised; alert.delivered channel=pager cause=alert.raised; alert.delivered cause=alert.raised`,
			find:   []string{"RS8 alert.delivered <- restart.required"},
		},
		{
			name:   "the alert of a stop is raised once",
			stream: `start; silent a1; stop; alert.raised; alert.raised`,
			find:   []string{"RS8 alert.raised <- restart.required"},
		},
		{
			name: "reminders are no second telling",
			stream: `start; silent a1; stop; alert.raised; alert.delivered cause=alert.raised; +30m alert.reminded; alert.delivered cause=alert.reminded; +30m alert.reminded number=2; alert.delivered cause=alert.reminded
				alert.acknowledged; resume; alert.resolved; alert.delivered cause=alert.resolved`,
		},
		{
			name:   "nobody is reminded of what is acknowledged",
			stream: `start; silent a1; stop; alert.raised; alert.delivered cause=alert.raised; alert.acknowledged; +30m alert.reminded`,
			find:   []string{"RS8 alert.reminded <- restart.required"},
		},
		{
			name:   "nor of what is over",
			stream: `start; silent a1; stop; alert.raised; alert.delivered cause=alert.raised; resume; alert.resolved; alert.reminded`,
			find:   []string{"RS8 alert.reminded <- restart.required"},
		},
		{
			name:   "another alert that is acknowledged ends no reminders",
			stream: `start; silent a1; stop; alert.raised; alert.delivered cause=alert.raised; alert.acknowledged incident=paper-99; +30m alert.reminded`,
		},
		{
			name: "a channel whose last try failed is at fault itself",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered; resume; alert.failed cause=restart.acknowledged
				gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; +61s gateway.notice; +61s gateway.notice`,
		},
		{
			name: "and no more once it has told again",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; alert.delivered; resume; alert.failed cause=restart.acknowledged; alert.delivered cause=restart.acknowledged
				gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported; +61s gateway.notice; +61s operator.noted; +61s gateway.notice`,
			find: []string{"RS8 operator.noted <- restart.required"},
		},
		{
			name:   "in observe mode it would have been a breach",
			stream: `recorder.started; policy.loaded mode=observe; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported enforced=false; alert.delivered; alert.delivered`,
			find:   []string{"RS8 alert.delivered <- restart.required [observed]"},
		},
	},
	"RS10": {
		{
			name:   "who is answered waits no more, and neither does who leaves",
			stream: `start; ask a1; ask a2; ask a3; attempt.abandoned a3 stage=none; attempt.denied a1 reason=backoff; client.closed conn=c-a2; +61s gateway.notice; +61s gateway.notice; +61s gateway.notice`,
		},
		{
			name:   "an attempt under way holds the others",
			stream: `start; dial a1; ask a2; +61s gateway.notice; +61s gateway.notice; +61s gateway.notice; attempt.abandoned a1; +59s attempt.permitted a2`,
		},
		{
			name:   "a wait holds them, and a minute more is not too long",
			stream: `start; dial a1; attempt.failed a1 reason=refused stage=dial; retry.scheduled a1 delay_ms=300000; ask a2; +1m gateway.notice; +1m gateway.notice; +1m gateway.notice; +1m gateway.notice; +1m gateway.notice; +1m attempt.permitted a2`,
		},
		{
			name:   "so does a release until it has settled",
			stream: `start; silent a1; stop; resume; ask a2; +29s gateway.notice; +61s gateway.notice; +60s attempt.permitted a2`,
		},
		{
			name:   "and the cap on failures in a window",
			stream: `start window_ms=600000 window_failures=2; dial a1; attempt.failed a1 reason=refused stage=dial; dial a2; attempt.failed a2 reason=refused stage=dial; ask a3; +3m gateway.notice; +3m gateway.notice; +3m gateway.notice`,
		},
		{
			name:   "a log that took nothing for an hour takes the answer last",
			stream: `start; ask a1; +1h gateway.notice; +59s attempt.permitted a1`,
		},
		{
			name:   "what a run was asked its end has answered",
			stream: `start; ask a1; crash; +61s gateway.notice; +61s gateway.notice; +61s gateway.notice`,
		},
		{
			name:   "nothing holds it, and it waits",
			stream: `start; ask a1; ask a2; +61s gateway.notice; +61s operator.noted; +61s gateway.notice`,
			find:   []string{"RS10 operator.noted <- attempt.requested a1"},
		},
		{
			name:   "a stop holds nobody: it denies",
			stream: `start; silent a1; stop; ask a2; +61s gateway.notice; +61s operator.noted`,
			find:   []string{"RS10 operator.noted <- attempt.requested a2"},
		},
		{
			name:   "after a release somebody is let in",
			stream: `start; silent a1; stop; ask a2; resume; +31s gateway.notice; +61s gateway.notice; +61s operator.noted`,
			find:   []string{"RS10 operator.noted <- attempt.requested a2"},
		},
		{
			name:   "in observe mode nobody waits at all",
			stream: `recorder.started; policy.loaded mode=observe; ask a1; +61s gateway.notice; +61s operator.noted`,
			find:   []string{"RS10 operator.noted <- attempt.requested a1 [observed]"},
		},
	},
	"RS9": {
		{
			name:   "a stop for nothing is needless",
			stream: `start; stop`,
			find:   []string{"RS9 restart.required <- gateway.down"},
		},
		{
			name:   "an acceptor that hangs is a reason",
			stream: `start; wedged; gateway.down reason=wedged; restart.required reason=wedged`,
		},
		{
			name:   "whatever the stop gives as its own",
			stream: `start; wedged; stop`,
		},
		{
			name:   "but not if no reading shows it",
			stream: `start; gateway.observed owner=gateway; gateway.down reason=wedged; restart.required reason=wedged`,
			find:   []string{"RS9 restart.required <- gateway.down"},
		},
		{
			name:   "nor if it was a silence that made the stop due",
			stream: `start; silent a1; gateway.down reason=wedged; restart.required reason=wedged`,
			find:   []string{"RS9 restart.required <- attempt.failed a1, gateway.down"},
		},
		{
			name:   "nor on a runner's word",
			stream: `start; gateway.down reason=wedged by=/runner/robo-1; restart.required reason=wedged`,
			find:   []string{"RS9 restart.required <- gateway.down"},
		},
		{
			name:   "what was seen before a release is no reason after it",
			stream: `start; wedged; stop; resume; gateway.down reason=wedged; restart.required reason=wedged`,
			find:   []string{"RS9 restart.required <- gateway.down"},
		},
		{
			name:   "a refused dial is nothing",
			stream: `start; dial a1; attempt.failed a1 reason=refused stage=dial; stop`,
			find:   []string{"RS9 restart.required <- gateway.down"},
		},
		{
			name:   "two of three are too few",
			stream: `start silent_limit=3; silent a1; silent a2; stop`,
			find:   []string{"RS9 restart.required <- attempt.failed a1, attempt.failed a2, gateway.down"},
		},
		{
			name:   "a client id in use in between shows that the Gateway lives",
			stream: `start silent_limit=2; silent a1; dial a2; attempt.failed a2 reason=client_id_in_use stage=started; silent a3; stop`,
			find:   []string{"RS9 restart.required <- attempt.failed a3, gateway.down"},
		},
		{
			name:   "a refused dial in between may be read either way",
			stream: `start silent_limit=2; silent a1; dial a2; attempt.failed a2 reason=refused stage=dial; silent a3; stop`,
		},
		{
			name:   "and the other way too",
			stream: `start silent_limit=2; silent a1; dial a2; attempt.failed a2 reason=refused stage=dial; silent a3; ready a4`,
		},
		{
			name:   "the word of a runner is enough",
			stream: `start; gateway.down reason=reported by=/runner/robo-1; restart.required reason=reported`,
		},
		{
			name:   "the recorder's own word is not",
			stream: `start; gateway.down reason=reported by=/recorder; restart.required reason=reported`,
			find:   []string{"RS9 restart.required <- gateway.down"},
		},
		{
			name:   "the budget is that of the policy under which it was permitted",
			stream: `start; dial a1; policy.loaded version_budget_ms=60000; +30s attempt.failed a1; stop`,
		},
		{
			name:   "and of its stage",
			stream: `start version_budget_ms=60000; silent a1 reason=version_no_ready stage=started; stop`,
		},
		{
			name:   "an attempt that was cut short was not silent",
			stream: `start; silent a1 waited_ms=29999; stop`,
			find:   []string{"RS9 restart.required <- gateway.down"},
		},
		{
			name:   "the first silent attempt after a release is known to fail",
			stream: `start; silent a1; stop; resume; +30s silent a2; stop`,
			find:   []string{"RS9 restart.required <- attempt.failed a2, gateway.down"},
		},
		{
			name:   "the last one stops",
			stream: `start; silent a1; stop; resume; +30s silent a2; +30s silent a3; stop`,
		},
		{
			name:   "and so does the last one if nobody knows how it ended",
			stream: `start; silent a1; stop; resume; +30s silent a2; +60s dial a3; crash unfinished=a3; attempt.unknown a3; gateway.down by=/recorder reason=probation; restart.required reason=probation`,
		},
		{
			name:   "or if nobody knows of any of them",
			stream: `start; silent a1; stop; resume; +30s dial a2; crash unfinished=a2; attempt.unknown a2; +60s dial a3; crash unfinished=a3; attempt.unknown a3; gateway.down by=/recorder reason=probation; restart.required reason=probation`,
		},
		{
			name:   "an unknown end is no silence where there is no probation",
			stream: `start; dial a1; crash unfinished=a1; attempt.unknown a1; dial a2; crash unfinished=a2; attempt.unknown a2; gateway.down by=/recorder reason=probation; restart.required reason=probation`,
			find:   []string{"RS9 restart.required <- gateway.down"},
		},
		{
			name:   "one attempt does not use up two",
			stream: `start; silent a1; stop; resume; +30s silent a2; gateway.down by=/recorder reason=probation; restart.required reason=probation`,
			find:   []string{"RS9 restart.required <- attempt.failed a2, gateway.down"},
		},
		{
			name:   "a stop that is carried comes from a log that was set aside",
			stream: `start; restart.required carried=true`,
			find:   []string{"RS9 restart.required"},
		},
		{
			name:   "in observe mode it is what would have been",
			stream: `start mode=observe; stop enforced=false`,
			find:   []string{"RS9 restart.required <- gateway.down [observed]"},
		},
		{
			name:   "two dial timeouts of three are too few",
			stream: `start; dial a1; attempt.failed a1 reason=dial_timeout stage=dial; dial a2; attempt.failed a2 reason=dial_timeout stage=dial; gateway.down by=/recorder reason=dial_timeouts; restart.required reason=dial_timeouts`,
			find:   []string{"RS9 restart.required <- attempt.failed a1, attempt.failed a2, gateway.down"},
		},
		{
			name:   "refused dials after a release are no silence",
			stream: `start; silent a1; stop; resume; +30s dial a2; attempt.failed a2 reason=refused stage=dial; +60s dial a3; attempt.failed a3 reason=refused stage=dial; stop`,
			find:   []string{"RS9 restart.required <- gateway.down"},
		},
		{
			name:   "a reported timeout of an unknown stage may be read as silence",
			stream: `start; attempt.failed r1 by=/runner/robo-1 reason=reported_timeout stage=none limit_ms=20000; stop`,
		},
		{
			name:   "or not",
			stream: `start; attempt.failed r1 by=/runner/robo-1 reason=reported_timeout stage=none limit_ms=20000; ready a1`,
		},
		{
			name:   "a report of what the tap saw makes no second silence",
			stream: `start silent_limit=2; attempt.requested r1 by=/runner/robo-1 local_port=50000; silent a1; attempt.failed r1 by=/runner/robo-1 limit_ms=30000; stop`,
			find:   []string{"RS9 restart.required <- attempt.failed a1, gateway.down"},
		},
		{
			name:   "saying it twice does not make it true",
			stream: `start; gateway.down by=/recorder; gateway.down by=/recorder; restart.required`,
			find:   []string{"RS9 restart.required <- gateway.down, gateway.down"},
		},
	},
}

func TestRules(t *testing.T) {
	for _, e := range Catalogue() {
		for _, c := range specification[e.ID] {
			t.Run(e.ID+"/"+c.name, func(t *testing.T) {
				b := stream(t, c.stream)
				v, err := Check(b.all(0))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.find, b.tell(findings(v))); diff != "" {
					t.Errorf("findings (-want +got):\n%s", diff)
				}
				for _, r := range v.Rules {
					for _, f := range r.Findings {
						if f.Rule != r.ID || f.Text == "" || f.Hint == "" {
							t.Errorf("among the findings of %s: %+v", r.ID, f)
						}
					}
				}
				if bad := b.tell(failed(v)); bad != nil {
					t.Errorf("assumptions do not hold: %q", bad)
				}
				want := Holds
				for _, f := range findings(v) {
					if !f.Observed {
						want = Violated
					}
				}
				if v.Outcome != want {
					t.Errorf("outcome %s, want %s", v.Outcome, want)
				}
			})
		}
	}
}

// TestEveryRuleIsKeptAndBroken: a rule that no stream breaks could not fail, and
// one that no stream keeps could not pass.
func TestEveryRuleIsKeptAndBroken(t *testing.T) {
	for _, e := range Catalogue() {
		if e.Kind != Rule {
			continue
		}
		kept, broken := 0, 0
		for _, c := range specification[e.ID] {
			if c.find == nil {
				kept++
			}
			for _, f := range c.find {
				if strings.HasPrefix(f, e.ID+" ") {
					broken++
				}
			}
		}
		if kept < 2 || broken < 2 {
			t.Errorf("%s: %d streams keep it and %d findings break it, want at least 2 of each", e.ID, kept, broken)
		}
	}
	if len(specification) != 9 {
		t.Errorf("%d rules are specified, want 9", len(specification))
	}
}
