"""A small home with a person, chats and a member of staff."""

from datetime import timedelta
from pathlib import Path

from assent.domain.conversation import Conversation, Part
from assent.interfaces.cli.init import make_home
from assent.store.records import Account, Flag, StaffMember
from assent.wiring import Wiring


def scanned_home(folder: Path) -> Wiring:
    """Make the home; the caller closes its store."""
    home = make_home(Wiring(), folder, ("anthropic/2025-10-08",), notices=("lantern/2025-10-08",))
    at = home.now() - timedelta(hours=3)
    home.store.put_accounts([Account("eve-7", "pro", age=30, region="DE", signed_in=True)])
    parts = (Part("1", "t1", "user", "person", "text", "how long does it boil", at),)
    talks = [
        Conversation(f"test:{n}", "test", parts, "eve-7", f"Soup {n}", "chat", created_at=at, last_turn_at=at)
        for n in range(5)
    ]
    home.store.intake(talks, plan=None, recorded_at=at)
    home.store.add_flag(Flag("flag-1", "test:1", at, "misuse", "classifier", "a rule"))
    home.store.put_staff(StaffMember("ada", "officer", at, "a test"))
    home.store.close()
    return Wiring(folder)
