/* The table of settings: top level, listeners, TLS, sign-in, fix-ups, decisions. Limits and
 * deadlines stand in schema_smtp.c, what relay reads in schema_relay.c. */
#include "msa/config/schema.h"

#include "msa/config/config.h"

const struct schema_key *schema_find(const struct schema_block *block, struct view name)
{
    for (size_t i = 0; i < block->key_count; i++)
        if (view_eq(name, view_cstr(block->keys[i].name)))
            return &block->keys[i];
    return NULL;
}

/* ---- users and log --------------------------------------------------------------------------- */

#define USER_KEY(role, what)                                                                       \
    {.name = #role,                                                                                \
     .type = SCHEMA_NAME,                                                                          \
     SCHEMA_FIELD(config_users, role),                                                             \
     .roles = FOR_SUPERVISOR,                                                                      \
     .doc = "User of " what " Empty: that of `user`."}

static const struct schema_key users_keys[] = {
    USER_KEY(smtp, "the processes that speak to clients."),
    USER_KEY(auth, "the process that holds the password records."),
    USER_KEY(policy, "the process that decides."),
    USER_KEY(score, "the processes that look at content."),
    USER_KEY(relay, "the process that owns the queue."),
    USER_KEY(console, "the process that serves msactl."),
};

static const struct schema_block users_block = {
    SCHEMA_KEYS(users_keys), .bytes = sizeof(struct config_users)};

static const struct schema_word log_targets[] = {
    {"stderr", CONFIG_LOG_STDERR}, {"file", CONFIG_LOG_FILE}, {"syslog", CONFIG_LOG_SYSLOG}, {0}};

static const struct schema_word log_levels[] = {{"debug", LOG_LEVEL_DEBUG},
                                                {"info", LOG_LEVEL_INFO},
                                                {"warn", LOG_LEVEL_WARN},
                                                {"error", LOG_LEVEL_ERROR},
                                                {0}};

static const struct schema_key log_keys[] = {
    {.name = "target",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_log, target),
     .words = log_targets,
     .initial = "stderr",
     .roles = FOR_SUPERVISOR,
     .doc = "Where log lines go: standard error (under systemd, the journal), the file named by "
            "`file`, or the syslog socket /dev/log."},
    {.name = "file",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_log, file),
     .roles = FOR_SUPERVISOR,
     .doc = "The log file, opened for append by the supervisor and again at each SIGHUP, so that "
            "it can be rotated by renaming."},
    {.name = "level",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_log, level),
     .words = log_levels,
     .initial = "info",
     .roles = FOR_SUPERVISOR,
     .doc = "The least important lines that are written."},
};

static const struct schema_block log_block = {
    SCHEMA_KEYS(log_keys), .bytes = sizeof(struct config_log)};

/* ---- listeners ------------------------------------------------------------------------------- */

static const struct schema_word listener_modes[] = {
    {"submission", CONFIG_SUBMISSION}, {"submissions", CONFIG_SUBMISSIONS}, {0}};

static const struct schema_word proxy_versions[] = {{"no", CONFIG_PROXY_NO},
                                                    {"v1", CONFIG_PROXY_V1},
                                                    {"v2", CONFIG_PROXY_V2},
                                                    {"any", CONFIG_PROXY_ANY},
                                                    {0}};

static const struct schema_key listener_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_listener, name),
    .roles = FOR_SMTP,
    .doc = "Its name in log lines and rules. A socket that systemd hands over under this name "
           "(`FileDescriptorName=`) is used instead of binding `address`."};

static const struct schema_key listener_keys[] = {
    {.name = "address",
     .type = SCHEMA_ENDPOINT,
     SCHEMA_FIELD(config_listener, addresses),
     .roles = FOR_SMTP,
     .flags = SCHEMA_LIST | SCHEMA_REQUIRED | SCHEMA_LISTEN,
     .doc = "Addresses and ports to listen on; `*:587` is every address of both families."},
    {.name = "mode",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_listener, mode),
     .words = listener_modes,
     .initial = "submission",
     .roles = FOR_SMTP,
     .doc = "`submission` begins in clear and offers STARTTLS (port 587, RFC 6409); `submissions` "
            "begins with TLS (port 465, RFC 8314)."},
    {.name = "backlog",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_listener, backlog_count),
     .initial = "1024",
     .min = 1,
     .max = 65535,
     .roles = FOR_SMTP,
     .doc = "Connections the kernel keeps waiting before they are accepted."},
    {.name = "proxy_protocol",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_listener, proxy_protocol),
     .words = proxy_versions,
     .initial = "no",
     .roles = FOR_SMTP,
     .doc = "Whether each connection begins with a PROXY protocol header. With anything but `no` "
            "only the load balancers in `proxy_from` can connect."},
    {.name = "proxy_from",
     .type = SCHEMA_PREFIX,
     SCHEMA_FIELD(config_listener, proxy_from),
     .roles = FOR_SMTP,
     .flags = SCHEMA_LIST,
     .doc = "Networks of the load balancers whose PROXY headers are believed."},
    {.name = "xclient_from",
     .type = SCHEMA_PREFIX,
     SCHEMA_FIELD(config_listener, xclient_from),
     .roles = FOR_SMTP,
     .flags = SCHEMA_LIST,
     .doc = "Networks of the webmail hosts that may name their user's own address with XCLIENT."},
    {.name = "auth_without_tls",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_listener, auth_without_tls),
     .initial = "no",
     .roles = FOR_SMTP,
     .doc = "Offer AUTH in clear. For tests: every address of the listener must be a loopback "
            "address."},
    {.name = "client_certificates",
     .type = SCHEMA_BLOCK,
     SCHEMA_FIELD(config_listener, client_certificates),
     .block = &schema_client_certificates,
     .roles = FOR_SMTP,
     .doc = "Ask clients for a certificate, which signs them in without a password (SASL EXTERNAL)."},
};

static const struct schema_block listener_block = {SCHEMA_KEYS(listener_keys),
                                                   .label = &listener_label,
                                                   .bytes = sizeof(struct config_listener)};

/* ---- TLS ------------------------------------------------------------------------------------- */

static const struct schema_word tls_versions[] = {
    {"1.2", CONFIG_TLS_1_2}, {"1.3", CONFIG_TLS_1_3}, {0}};

static const struct schema_key certificate_keys[] = {
    {.name = "cert_file",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_certificate, cert_file),
     .roles = FOR_SUPERVISOR,
     .flags = SCHEMA_REQUIRED,
     .doc = "PEM file with the certificate first and its chain behind."},
    {.name = "key_file",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config_certificate, key_file),
     .roles = FOR_SUPERVISOR,
     .flags = SCHEMA_REQUIRED,
     .doc = "PEM file with its private key, without a passphrase. Read by the supervisor alone, "
            "before it drops its privileges and at each SIGHUP."},
};

static const struct schema_block certificate_block = {SCHEMA_KEYS(certificate_keys),
                                                      .bytes = sizeof(struct config_certificate)};

static const struct schema_key tls_keys[] = {
    {.name = "min_version",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_tls, min_version),
     .words = tls_versions,
     .initial = "1.2",
     .roles = FOR_SMTP,
     .doc = "The oldest version of TLS that clients may speak (RFC 8996 retired those before)."},
    {.name = "certificate",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config_tls, certificates),
     .count_offset = offsetof(struct config_tls, certificate_count),
     .block = &certificate_block,
     .max = 64,
     .roles = FOR_SUPERVISOR,
     .doc = "A certificate. Several are chosen between by the server name that the client asks "
            "for (SNI) and by the kind of key that it can use: give an ECDSA and an RSA one for "
            "the same name to serve old clients too. The first is for clients that name none."},
};

static const struct schema_block tls_block = {
    SCHEMA_KEYS(tls_keys), .bytes = sizeof(struct config_tls)};

/* ---- sign-in --------------------------------------------------------------------------------- */

static const struct schema_word mechanisms[] = {
    {"PLAIN", CONFIG_MECH_PLAIN},
    {"LOGIN", CONFIG_MECH_LOGIN},
    {"SCRAM-SHA-256", CONFIG_MECH_SCRAM_SHA_256},
    {"SCRAM-SHA-256-PLUS", CONFIG_MECH_SCRAM_SHA_256_PLUS},
    {"CRAM-MD5", CONFIG_MECH_CRAM_MD5},
    {"OAUTHBEARER", CONFIG_MECH_OAUTHBEARER},
    {"XOAUTH2", CONFIG_MECH_XOAUTH2},
    {"EXTERNAL", CONFIG_MECH_EXTERNAL},
    {0}};

static const struct schema_word core_words[] = {{"auto", 0}, {0}};

static const struct schema_key auth_keys[] = {
    {.name = "mechanisms",
     .type = SCHEMA_CHOICES,
     SCHEMA_FIELD(config_auth, mechanisms),
     .words = mechanisms,
     .initial = "PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
     .roles = FOR_AUTH | FOR_SMTP,
     .doc = "Mechanisms offered, always under TLS only (but see `auth_without_tls`). CRAM-MD5 "
            "needs passwords stored as good as in clear, so it is not offered unless named here. OAUTHBEARER "
            "(RFC 7628) and XOAUTH2 (the form of Google and Microsoft) sign in with a token, need "
            "`identity_provider`, and are never offered in clear. EXTERNAL is offered to clients that have shown a "
            "certificate (`client_certificates` of a listener)."},
    {.name = "default_domain",
     .type = SCHEMA_DOMAIN,
     SCHEMA_FIELD(config_auth, default_domain),
     .roles = FOR_AUTH,
     .doc = "Put behind a login name that has no `@domain`. Empty: such names stay as they are."},
    {.name = "scram_iterations",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_auth, scram_iteration_count),
     .initial = "4096",
     .min = 4096,
     .max = 65536,
     .roles = FOR_AUTH,
     .doc = "PBKDF2 rounds in verifiers made from now on (RFC 7677 asks for at least 4096; clients "
            "with libsasl2 refuse more than 65,536). Each password check with PLAIN or LOGIN costs "
            "as many: 10,000 are about 4 ms of a core."},
    {.name = "threads",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_auth, thread_count),
     .words = core_words,
     .initial = "auto",
     .min = 1,
     .max = 256,
     .roles = FOR_AUTH,
     .doc = "Threads that check passwords; `auto` is one per core."},
    {.name = "hash_queue",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_auth, hash_queue_count),
     .initial = "256",
     .min = 1,
     .max = 65536,
     .roles = FOR_AUTH,
     .doc = "Password checks that may wait for a thread; beyond it sign-ins get 454, so that a "
            "flood of them cannot build a backlog that outlasts it."},
    {.name = "hash_queue_per_address",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_auth, hash_queue_per_address_count),
     .initial = "64",
     .min = 1,
     .max = 65536,
     .roles = FOR_AUTH,
     .doc = "The same for one client address, or one IPv6 /64, so that a single source cannot fill "
            "the queue for all."},
    {.name = "credential_cache",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_auth, credential_cache_ms),
     .initial = "5m",
     .min = 0,
     .max = 3600000,
     .roles = FOR_AUTH,
     .doc = "How long a password that was found right with PLAIN or LOGIN is known again without a "
            "new check, in memory and as a keyed hash. A new password or a disabled account ends it at "
            "once. `0` is off."},
    {.name = "failure_delay",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_auth, failure_delay_ms),
     .initial = "1s",
     .min = 0,
     .max = 60000,
     .roles = FOR_AUTH | FOR_SMTP | FOR_CONSOLE,
     .doc = "A failed sign-in is answered no sooner than this after it began, whatever the "
            "reason, so that the time tells nothing."},
};

static const struct schema_block auth_block = {
    SCHEMA_KEYS(auth_keys), .bytes = sizeof(struct config_auth)};

/* ---- fix-ups --------------------------------------------------------------------------------- */

static const struct schema_word client_address_words[] = {{"full", CONFIG_CLIENT_FULL},
                                                          {"country", CONFIG_CLIENT_COUNTRY},
                                                          {"none", CONFIG_CLIENT_NONE},
                                                          {0}};

static const struct schema_word sender_words[] = {{"add", CONFIG_SENDER_ADD},
                                                  {"replace", CONFIG_SENDER_REPLACE},
                                                  {"off", CONFIG_SENDER_OFF},
                                                  {0}};

static const struct schema_key submission_keys[] = {
    {.name = "received_client_address",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_submission, received_client_address),
     .words = client_address_words,
     .initial = "full",
     .roles = FOR_SMTP,
     .doc = "How much of the client's address the Received field tells every recipient."},
    {.name = "add_date",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_submission, add_date),
     .initial = "yes",
     .roles = FOR_SMTP,
     .doc = "Add a Date field where it is missing (RFC 6409 §8.2)."},
    {.name = "add_message_id",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_submission, add_message_id),
     .initial = "yes",
     .roles = FOR_SMTP,
     .doc = "Add a Message-ID field where it is missing (RFC 6409 §8.3)."},
    {.name = "remove_bcc",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_submission, remove_bcc),
     .initial = "yes",
     .roles = FOR_SMTP,
     .doc = "Take Bcc fields out, so that no recipient learns of the hidden ones."},
    {.name = "sender",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_submission, sender),
     .words = sender_words,
     .initial = "add",
     .roles = FOR_SMTP | FOR_POLICY,
     .doc = "When From is not the signed-in identity and policy allows that (RFC 6409 §8.1): add a "
            "Sender field that names it where there is none, also replace one that is there, or "
            "leave the header alone."},
    {.name = "future_release",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_submission, future_release_ms),
     .words = (const struct schema_word[]){{"off", 0}, {0}},
     .initial = "7d",
     .min = 60000,
     .max = INT64_C(365) * 86400000,
     .roles = FOR_SMTP | FOR_RELAY,
     .doc = "The longest that a client may have a message held before it is sent on "
            "(FUTURERELEASE, RFC 4865). `off`: the extension is not offered."},
};

static const struct schema_block submission_block = {
    SCHEMA_KEYS(submission_keys), .bytes = sizeof(struct config_submission)};

/* ---- top level ------------------------------------------------------------------------------- */

#define BLOCK_KEY(key, block_, text)                                                               \
    {.name = #key,                                                                                 \
     .type = SCHEMA_BLOCK,                                                                         \
     SCHEMA_FIELD(config, key),                                                                    \
     .block = &(block_),                                                                           \
     .roles = FOR_ALL,                                                                             \
     .doc = text}

static const struct schema_key root_keys[] = {
    {.name = "hostname",
     .type = SCHEMA_DOMAIN,
     SCHEMA_FIELD(config, hostname),
     .roles = FOR_ALL,
     .flags = SCHEMA_REQUIRED,
     .doc = "The server's name: in its greeting, in Received fields, in EHLO to smarthosts, and "
            "as the host part of message identifiers. Clients check the certificate against it."},
    {.name = "state_dir",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config, state_dir),
     .initial = "/var/lib/msad",
     .roles = FOR_AUTH | FOR_POLICY | FOR_SCORE | FOR_RELAY,
     .doc = "What must outlive a restart: accounts, queue, policy's records. On a local file "
            "system."},
    {.name = "runtime_dir",
     .type = SCHEMA_PATH,
     SCHEMA_FIELD(config, runtime_dir),
     .initial = "/run/msad",
     .roles = FOR_CONSOLE,
     .doc = "Sockets of the running server."},
    {.name = "user",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config, user),
     .initial = "msad",
     .roles = FOR_SUPERVISOR,
     .doc = "The user to become after a start as root. Not used when started as another user."},
    BLOCK_KEY(users, users_block,
              "A user of its own for each kind of process, so that one that is taken over can "
              "neither read the files of another nor send it signals."),
    {.name = "workers",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config, worker_count),
     .words = core_words,
     .initial = "auto",
     .min = 1,
     .max = CONFIG_WORKERS_MAX,
     .roles = FOR_SMTP,
     .doc = "Processes that speak to clients; `auto` is one per core. Read at the start only."},
    {.name = "score_workers",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config, score_worker_count),
     .initial = "1",
     .min = 1,
     .max = 64,
     .roles = FOR_SUPERVISOR,
     .doc = "Processes that look at content. Read at the start only."},
    {.name = "sandbox",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config, sandbox),
     .initial = "yes",
     .roles = FOR_ALL,
     .doc = "Lock each process in (seccomp, landlock) after its start. `no` is for debuggers and "
            "sanitizers."},
    BLOCK_KEY(log, log_block, "One event, one line."),
    {.name = "listener",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config, listeners),
     .count_offset = offsetof(struct config, listener_count),
     .block = &listener_block,
     .max = 64,
     .roles = FOR_SMTP,
     .doc = "Where clients connect. At least one."},
    BLOCK_KEY(tls, tls_block, "TLS towards clients."),
    BLOCK_KEY(auth, auth_block, "How clients sign in (RFC 4954)."),
    {.name = "identity_provider",
     .type = SCHEMA_BLOCK,
     SCHEMA_FIELD(config, identity_provider),
     .block = &schema_identity_provider,
     .roles = FOR_AUTH,
     .doc = "Who knows whether a token is good, for OAUTHBEARER and XOAUTH2; conf/identity-provider.md shows a whole "
            "set-up. Whether there is one is decided when msad starts: the sandbox lets auth connect only then."},
    {.name = "saslauthd",
     .type = SCHEMA_BLOCK,
     SCHEMA_FIELD(config, saslauthd),
     .block = &schema_saslauthd,
     .roles = FOR_AUTH,
     .doc = "Who knows the passwords of the accounts that were made with `{SASL}` in place of a hash: LDAP, PAM and others "
            "behind saslauthd, for PLAIN and LOGIN, pages, and POP and IMAP servers; conf/saslauthd.md shows a whole set-up. "
            "Whether there is one is decided when msad starts: the sandbox lets auth connect only then."},
    BLOCK_KEY(limits, schema_limits,
              "Bounds on what a client can send and hold. Each has its reply; none can be passed."),
    BLOCK_KEY(deadlines, schema_deadlines,
              "How long each phase of a session may take. A trickle of bytes resets none of them."),
    BLOCK_KEY(submission, submission_block, "What is mended in submitted messages."),
    BLOCK_KEY(policy, schema_policy,
              "Decisions. The fixed answers double as emergency brakes: change one and reload."),
    {.name = "align",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config, align),
     .count_offset = offsetof(struct config, align_count),
     .block = &schema_align,
     .max = CONFIG_ALIGN_MAX,
     .roles = FOR_POLICY,
     .doc = "Whom an account may name as the sender. Its own login, that with a detail behind, and the senders "
            "listed for it are always allowed. The first block whose `when` holds decides; to whom none applies, "
            "and where there is none, `check both; mismatch refuse;` applies."},
    BLOCK_KEY(privacy, schema_privacy, "What is kept of people."),
    BLOCK_KEY(accounts, schema_accounts, "What holds for an account that has no setting of its own."),
    BLOCK_KEY(retention, schema_retention,
              "How long records about customers are kept; then they are deleted."),
    BLOCK_KEY(geo, schema_geo, "Where clients are."),
    {.name = "rules",
     .type = SCHEMA_BLOCK,
     SCHEMA_FIELD(config, rules),
     .block = &schema_rules,
     .roles = FOR_POLICY,
     .doc = "What all rules share."},
    {.name = "rule",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config, rule),
     .count_offset = offsetof(struct config, rule_count),
     .block = &schema_rule,
     .max = 128,
     .roles = FOR_POLICY,
     .doc = "A measure against abuse, in one sentence: count what, per whom, within how long, at which limit, "
            "then do what, when. Their order has no meaning; the strictest verdict holds, and every reason is "
            "kept."},
    {.name = "route",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config, route),
     .count_offset = offsetof(struct config, route_count),
     .block = &schema_route,
     .max = CONFIG_ROUTES_MAX,
     .roles = FOR_POLICY,
     .doc = "Which way a message goes when all of it is here. The first route whose `when` holds takes it. A "
            "message is never split for it: where recipients lead to different routes the strictest is taken for "
            "all. With what rules say (`then pool`, `hold`, `defer`, `refuse`) and scanners insist on it is "
            "the same: `refuse` before `defer` before `hold`, and of pools the one that stands later in the "
            "file. So write pools from the cleanest to the most suspect. What nobody has a pool for leaves by "
            "`policy.default_pool`."},
    BLOCK_KEY(notice, schema_notice,
              "Telling customers and the support desk what happened to an account. Each matter once: a suspension and "
              "its end, and of other kinds the first of a day for the account and rule."),
    {.name = "webhook",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config, webhooks),
     .count_offset = offsetof(struct config, webhook_count),
     .block = &schema_webhook,
     .max = CONFIG_WEBHOOKS_MAX,
     .roles = FOR_RELAY | FOR_POLICY,
     .doc = "A program that is told what happened to an account: a POST of a JSON object, signed."},
    BLOCK_KEY(counters, schema_counters, "What the rules have counted: a file that may be lost."),
    BLOCK_KEY(score, schema_score, "Scoring of content."),
    {.name = "score_rule",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config, score_rules),
     .count_offset = offsetof(struct config, score_rule_count),
     .block = &schema_score_rule,
     .max = CONFIG_SCORE_RULES_MAX,
     .roles = FOR_SCORE,
     .doc = "Something that a message may be like, and what it adds to the score. All that is written must hold. "
            "conf/score.conf has a set to start with."},
    {.name = "pool",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config, pools),
     .count_offset = offsetof(struct config, pool_count),
     .block = &schema_pool,
     .max = 256,
     .roles = FOR_RELAY | FOR_POLICY,
     .doc = "A way out: smarthosts, and the addresses and credentials used towards them. At least "
            "one. Pools with different `source` addresses keep bad mail from spoiling the name of "
            "the good."},
    {.name = "destination",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config, destinations),
     .count_offset = offsetof(struct config, destination_count),
     .block = &schema_destination,
     .max = CONFIG_DESTINATIONS_MAX,
     .roles = FOR_RELAY | FOR_POLICY,
     .doc = "Where mail goes: domains of recipients that are one receiver, such as `destination carriers "
            "{ domains docomo.ne.jp ezweb.ne.jp; connections 4; }`, and how much of it may go there. Each pool "
            "keeps the limits by itself, all its `source` addresses together; what there is no room "
            "for waits in the queue."},
    BLOCK_KEY(queue, schema_queue,
              "Mail that waits. Everything here is durable before the client gets its 250."),
    {.name = "dns",
     .type = SCHEMA_BLOCK,
     SCHEMA_FIELD(config, dns),
     .block = &schema_dns,
     .roles = FOR_RELAY,
     .doc = "Looking up smarthosts."},
    {.name = "dkim",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config, dkim),
     .count_offset = offsetof(struct config, dkim_count),
     .block = &schema_dkim,
     .max = CONFIG_DKIM_MAX,
     .roles = FOR_RELAY,
     .doc = "Signs mail whose From is in this domain (RFC 6376, 8463), bounces and notices of msad's own, too: "
            "`dkim example.jp { selector s1 { key_file /etc/msad/s1.pem; } }`. Mail from a domain without a block "
            "leaves unsigned; what should be signed and cannot be waits in the queue. With several authors the "
            "domain of Sender signs if it is one of theirs, else that of the first author who has a key."},
    BLOCK_KEY(console, schema_console, "The way in for msactl and for monitoring."),
    BLOCK_KEY(autoconfig, schema_autoconfig,
              "Files by which Thunderbird, Outlook and Apple's programs set themselves up, served by the doors `http` and "
              "`https` of the console."),
};

const struct schema_block schema_root = {
    SCHEMA_KEYS(root_keys), .bytes = sizeof(struct config)};
