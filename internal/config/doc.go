// Package config puts the recorder's configuration together: one documented
// struct from flags, environment, file and defaults, in this order of strength,
// and where each value came from. It is the only package that knows viper.
//
//	flag                       variable                              file
//	--config FILE              IBRECORDER_CONFIG
//	--data FOLDER              IBRECORDER_DATA                       data
//	--mode MODE                IBRECORDER_MODE                       mode
//	--held HOW                 IBRECORDER_HELD                       held
//	--gateway NAME=HOST:PORT   IBRECORDER_GATEWAYS=NAME=HOST:PORT,…  gateways: [{name, address,
//	--tap NAME=HOST:PORT       IBRECORDER_TAPS=NAME=HOST:PORT,…        tap,
//	--connect NAME             IBRECORDER_CONNECT=NAME,…               connect,
//	--client-id N              IBRECORDER_CLIENT_ID                    client_id}]
//	--on-restart-required CMD  IBRECORDER_ON_RESTART_REQUIRED        on_restart_required
//	--nats-listen IP:PORT      IBRECORDER_NATS_LISTEN                nats: {listen,
//	                           IBRECORDER_NATS_RUNNERS=NAME=KEY,…      runners: {NAME: KEY}}
//	--http IP:PORT|off         IBRECORDER_HTTP_LISTEN                http: {listen,
//	                           IBRECORDER_HTTP_TLS_CERT_FILE, …        tls_cert_file, tls_key_file,
//	                           IBRECORDER_HTTP_TOKENS=                 tokens: [{name, scope,
//	                             NAME=SCOPE:SHA256|FILE,…                sha256 or secret_file}]}
//	                           IBRECORDER_RESTART_WINDOWS=             gateways: [{restart_window,
//	                             NAME=WINDOW,…                           recovery: [TEXT, …]}]
//	                           IBRECORDER_ALERTS_CHANNELS            alerts: {channels: [{name, type, …}],
//	                           IBRECORDER_ALERTS_REMIND_MINUTES, …     remind_minutes, remind_most,
//	                                                                   outage_after_minutes,
//	                                                                   dead_man: {url_file, every_minutes}}
//	--log-max-bytes N          IBRECORDER_LOG_MAX_BYTES              log_max_bytes
//	                           IBRECORDER_LOG_ROLL                   log_roll
//	                           IBRECORDER_LOG_LEVEL                  log_level
//	--policy PRESET            IBRECORDER_POLICY_PRESET              policy: {preset,
//	                           IBRECORDER_POLICY_SILENT_LIMIT, …       silent_limit, …}
//
// # What it guarantees
//
//   - A stronger source wins, value by value (TestPrecedence), and Origins says
//     which it was (TestOrigins).
//   - Without any configuration there is one that works (TestZeroConfiguration).
//   - What is not understood is refused: unknown keys and variables, with the
//     nearest known one, values of another type, anchors, second documents
//     (TestMistakesInAFile, TestMistakesElsewhere). Everything that is wrong is
//     said at once, with its place (TestEveryProblemAtOnce).
//   - A policy reads the same as a section of a configuration, by itself, and as a test
//     stream has it (TestAPolicyInItsThreeForms, TestThePoliciesOfTheStreams), and its
//     mistakes are said with their places (TestMistakesInAPolicy).
//   - What is shown loads as what was loaded (TestWhatIsShownLoadsTheSame). Two that are
//     shown alike are the same to a recorder that reads its configuration again, and each key
//     that differs either needs a restart or does not (TestWhatHasChanged,
//     TestWhatIsShownAlikeHasNotChanged).
//   - A channel has the keys of its type, and a mistake names them (TestChannels,
//     TestEveryKeyOfAChannelIsForSomeType, TestMistakesInAFile). A secret that stands in the
//     place of its file's name is refused and not repeated, nor is its line
//     (TestMistakesInAFile).
//   - A secret is read from a file that nobody else may read, or from a variable, and no
//     error has it (TestReadSecret).
//   - No file makes it panic (FuzzParseFile).
//   - No two gateways share an address or a tap, and no tap is where a gateway
//     listens or where others could reach it (TestMistakesElsewhere).
//
// # What it refuses to do
//
// It holds no secret, and has no key for one, only for where one is. It reads no variable but those of
// the environment it is given, and writes nothing but what it is asked to show.
package config
