/*
 * The erasure of one part: a sweeper, somebody who places a hold, a backup, crashes and a restore.
 *
 * `make check-deep` proves the four claims below for this protocol, and that each wrong order, chosen
 * by a name given to the preprocessor, breaks the claim that tests/conformance/erasure/test_spin.py
 * names for it:
 *
 *   CHECK_THEN_ERASE        the hold is looked for before the lock is taken
 *   KEY_BEFORE_INTENT       the key goes before the intent is committed
 *   RECEIPT_BEFORE_KEY      the receipt is written before the key goes
 *   KEY_BEFORE_JOURNAL      the key goes, and the receipt is given, without a line in the journal
 *   WRITABLE_BEFORE_REPLAY  a restored store is opened before the journal is replayed
 *   HOLDS_NOT_UNITED        a restored store keeps only the holds of the backup
 *   NOT_REDONE              a start leaves alone what was begun before it
 *
 * What is durable is a global; what a process knows ends with it. A crash frees the lock, as a
 * database does when a connection ends.
 */

#ifndef CRASHES
#define CRASHES 2
#endif

bool locked;            /* the lock of writers: an erasure and the placing of a hold take the same one */
bool writable = true;   /* false while a restored store waits for its replay */
byte life;              /* counts restores: whoever began in an earlier life gets no answer any more */
byte crashes;

bool intent, key = true, receipt, hold;           /* database, slot store, database, database */
bool journal_erased, journal_held;                /* lines of the journal, beside the database */
bool saved, saved_keys, saved_intent, saved_receipt, saved_hold, saved_key;    /* the backup */

bool acknowledged;      /* somebody was told: your hold stands */
bool claimed;           /* somebody was shown a receipt */

#define free_lock() locked = false

/* After any step the machine may stop; then it starts again, or what it held is restored from the backup. */
#define may_crash() \
	if \
	:: crashes < CRASHES -> crashes++; goto stopped \
	:: true \
	fi

active proctype sweeper()
{
	bool held_before;

begin:
	/* redo what was begun, before anything new */
	if
#ifdef NOT_REDONE
	:: intent && !receipt -> goto finished
#else
	:: intent && !receipt -> goto redo
#endif
	:: receipt -> goto finished
	:: else
	fi;
	/* it is due; a hold may keep it */
#ifdef CHECK_THEN_ERASE
	held_before = hold;
	atomic { !locked && writable -> locked = true };
#else
	atomic { !locked && writable -> locked = true };
	held_before = hold;
#endif
	if
	:: held_before -> free_lock(); goto finished
	:: else
	fi;
	may_crash();
#ifdef KEY_BEFORE_INTENT
	key = false;
	may_crash();
#endif
	atomic { intent = true; free_lock() };      /* the commit */
	may_crash();

redo:
#ifdef RECEIPT_BEFORE_KEY
	atomic { receipt = true; claimed = true };
	may_crash();
#endif
#ifndef KEY_BEFORE_JOURNAL
	journal_erased = true;
	may_crash();
#endif
	key = false;
	may_crash();
	atomic { receipt = true; claimed = true };
	may_crash();
	goto finished;

stopped:
	atomic {
		free_lock();
		if
		:: true                             /* it only starts again */
		:: saved_keys ->                    /* the disk is lost: back to the backup */
			life++;
			writable = false;
			intent = saved_intent;
			receipt = saved_receipt;
			hold = saved_hold;
			key = saved_key
		fi
	};
#ifdef WRITABLE_BEFORE_REPLAY
	writable = true;
#endif
	/* the replay; a crash in it begins it anew, so one is enough */
	if
	:: life > 0 && journal_erased -> intent = true; key = false
	:: else
	fi;
#ifndef HOLDS_NOT_UNITED
	if
	:: life > 0 && journal_held -> hold = true
	:: else
	fi;
#endif
	writable = true;
	goto begin;

finished:
	/* due work is found by asking again: after a restore there may be some */
	if
	:: crashes < CRASHES -> crashes++; goto stopped
	:: true
	fi
}

active proctype counsel()
{
	byte mine;

	atomic { !locked && writable -> locked = true; mine = life };
	if
	:: intent ->        /* answered truthfully: the erasure was committed before */
		atomic { if :: mine == life -> free_lock() :: else fi }
	:: else ->
		atomic { if :: mine == life -> hold = true; free_lock() :: else fi };
		atomic { if :: mine == life && hold -> journal_held = true :: else fi };
		atomic { if :: mine == life && journal_held -> acknowledged = true :: else fi }
	fi
}

/* The database is read at one instant, the slots after it: what the keys lack, the journal names. */
active proctype backup()
{
	byte mine;

	atomic {
		writable -> mine = life;
		saved_intent = intent;
		saved_receipt = receipt;
		saved_hold = hold;
		saved = true
	};
	atomic {
		if
		:: mine == life -> saved_key = key; saved_keys = true
		:: else
		fi
	}
}

ltl held_is_kept      { [] (acknowledged && writable -> key) }
ltl key_after_intent  { [] (!key && writable -> intent) }
ltl receipt_is_true   { [] (claimed && writable -> !key) }
ltl intent_is_carried_out { [] (intent -> <> (receipt || hold)) }
