"""Numbered forward migrations: entry N brings schema N to schema N+1. Never edit one that has been released."""

MIGRATIONS: list[list[str]] = [
    [
        # public: the Seam event_type under which the row is served, NULL for the hub's own rows.
        # Times are microseconds since 1970 UTC. body is NULL once erased; its hash stays in the chain.
        """CREATE TABLE journal(
            seq INTEGER PRIMARY KEY,
            type TEXT NOT NULL,
            public TEXT,
            instance TEXT,
            device_id TEXT,
            occurred_at INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            body BLOB,
            body_hash BLOB NOT NULL,
            chain BLOB NOT NULL
        ) STRICT""",
        "CREATE INDEX journal_public ON journal(created_at) WHERE public IS NOT NULL",
        "CREATE INDEX journal_device ON journal(device_id, seq) WHERE device_id IS NOT NULL AND public IS NOT NULL",
        """CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID""",
        """CREATE TABLE devices(device_id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID""",
        """CREATE TABLE instances(instance TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID""",
        # With rowids: request ids are random, and a table in their order would touch a page of its own per command.
        """CREATE TABLE commands(
            request_id TEXT PRIMARY KEY,
            device_id TEXT NOT NULL,
            accepted_at INTEGER NOT NULL,
            is_open INTEGER NOT NULL,
            body BLOB NOT NULL
        ) STRICT""",
        "CREATE INDEX commands_open ON commands(is_open) WHERE is_open = 1",
        "CREATE INDEX commands_age ON commands(accepted_at, request_id)",
        """CREATE TABLE keys(
            key_id TEXT PRIMARY KEY,
            secret_hash BLOB NOT NULL,
            name TEXT NOT NULL,
            role TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            revoked_at INTEGER
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE idempotency(
            key_id TEXT NOT NULL,
            key TEXT NOT NULL,
            request_hash BLOB NOT NULL,
            request_id TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            status INTEGER,
            body BLOB,
            PRIMARY KEY (key_id, key)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX idempotency_age ON idempotency(created_at)",
        """CREATE TABLE webhooks(
            webhook_id TEXT PRIMARY KEY,
            url TEXT NOT NULL,
            event_types TEXT,
            secret BLOB NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE cursors(name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    ],
    [
        "CREATE TABLE access_codes(code_id TEXT PRIMARY KEY, device_id TEXT NOT NULL, body BLOB NOT NULL) STRICT",
        "CREATE TABLE code_books(device_id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID",
        # What became of each code, PIN excluded; kept for a year, however soon the journal is cut.
        """CREATE TABLE code_history(
            id INTEGER PRIMARY KEY,
            code_id TEXT NOT NULL,
            device_id TEXT NOT NULL,
            at INTEGER NOT NULL,
            type TEXT NOT NULL,
            body BLOB NOT NULL
        ) STRICT""",
        "CREATE INDEX code_history_code ON code_history(code_id, at)",
        "CREATE INDEX code_history_device ON code_history(device_id, at)",
        # One row for each call that asked for a change of a code: what its action_attempt_id stands for.
        """CREATE TABLE code_attempts(
            attempt_id TEXT PRIMARY KEY,
            code_id TEXT NOT NULL,
            device_id TEXT NOT NULL,
            action TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX code_attempts_age ON code_attempts(at, attempt_id)",
    ],
    [
        "CREATE TABLE thermostats(device_id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID",
        """CREATE TABLE thermostat_schedules(
            schedule_id TEXT PRIMARY KEY,
            device_id TEXT NOT NULL,
            body BLOB NOT NULL
        ) STRICT""",
        # One row for each call that asked a thermostat for something. ended_at NULL: the device has yet to be so.
        """CREATE TABLE thermostat_attempts(
            attempt_id TEXT PRIMARY KEY,
            device_id TEXT NOT NULL,
            action TEXT NOT NULL,
            at INTEGER NOT NULL,
            ended_at INTEGER,
            error TEXT,
            message TEXT
        ) STRICT""",
        "CREATE INDEX thermostat_attempts_age ON thermostat_attempts(at, attempt_id)",
        # Telemetry, outside journal and chain. device: 16 bytes. at: seconds since 1970 UTC. Hundredths of a degree
        # Celsius, thousandths of humidity; state: 1 heating, 2 cooling, 4 fan. NULL: not known.
        """CREATE TABLE climate_history(
            device BLOB NOT NULL,
            at INTEGER NOT NULL,
            temperature INTEGER,
            humidity INTEGER,
            heating INTEGER,
            cooling INTEGER,
            state INTEGER,
            PRIMARY KEY (device, at)
        ) STRICT, WITHOUT ROWID""",
    ],
    [
        # What is known of access control systems, what the hub keeps of them itself, and what is wished.
        "CREATE TABLE access(id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID",
    ],
]
