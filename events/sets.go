package events

import "reflect"

// closedSets holds the values of every closed set. TestClosedSetsAreComplete
// holds it against the constants in the source.
var closedSets = map[reflect.Type][]string{
	reflect.TypeFor[FailReason]():    values(Refused, DialTimeout, Unreachable, AcceptedNoBytes, FINBeforeVersion, RSTBeforeVersion, BadVersion, VersionNoReady, NoStartAPI, ClientIDInUse, DisclaimerPending, ErrorBeforeReady, ClosedBeforeReady, ReportedTimeout, NoAccounts, ClientWaits),
	reflect.TypeFor[Stage]():         values(StageNone, StageDial, StageConnected, StageVersioned, StageStarted, StageReady),
	reflect.TypeFor[UnknownReason](): values(UnknownCrash, UnknownStop, UnknownUnused, UnknownReported, UnknownLease),
	reflect.TypeFor[Side]():          values(Client, Upstream, Recorder),
	reflect.TypeFor[Close]():         values(FIN, RST),
	reflect.TypeFor[HoldReason]():    values(HoldStopped, HoldInFlight, HoldBackoff, HoldSettling, HoldWindow, HoldCooling, HoldRule, HoldLogFull),
	reflect.TypeFor[RejectReason]():  values(NotAHello, HelloTimeout, HelloClosed, HiddenRedial, TooMany, TooOften),
	reflect.TypeFor[Origin]():        values(OriginWire, OriginClient, OriginIBC, OriginOS),
	reflect.TypeFor[Listening]():     values(ListeningYes, ListeningNo, ListeningUnknown),
	reflect.TypeFor[Owner]():         values(OwnerGateway, OwnerOther, OwnerUnknown),
	reflect.TypeFor[DownReason]():    values(DownSilent, DownDialTimeouts, DownClosed, DownProbation, DownWedged, DownReported),
	reflect.TypeFor[SocketState]():   values(SocketEstablished, SocketCloseWait),
	reflect.TypeFor[Mode]():          values(Enforce, Observe),
	reflect.TypeFor[Previous]():      values(PreviousNone, PreviousStopped, PreviousCrashed, PreviousQuarantined),
	reflect.TypeFor[StopReason]():    values(StoppedBySignal, StoppedByError),
	reflect.TypeFor[GapReason]():     values(GapOverflow, GapStore, GapUnrecorded),
	reflect.TypeFor[Level]():         values(LevelAmple, LevelWarning, LevelReserve),
	reflect.TypeFor[TapReason]():     values(ClosedForAbsence, ClosedForLog),
	reflect.TypeFor[Basis]():         values(BasisObserved, BasisWord, BasisOverride),
	reflect.TypeFor[Rejection]():     values(RejectedUnchanged, RejectedNotListening, RejectedNotStopped),
	reflect.TypeFor[LostReason]():    values(LostFIN, LostRST, LostMute, LostPortReset),
	reflect.TypeFor[About]():         values(AboutStop, AboutOutage, AboutBreach, AboutChannel, AboutRoom),
}

func values[T ~string](set ...T) []string {
	out := make([]string, len(set))
	for i, v := range set {
		out[i] = string(v)
	}
	return out
}
