"""Every page of the centre, for the person it is for, and for nobody else."""

import re
from datetime import timedelta

import pytest
from centre_home import ANN, BEN, EVE, HOSTILE, NOW, Centre

from assent.domain.choices import project_target
from assent.interfaces.web.catalogue import LOCALES
from assent.interfaces.web.centre.addresses import ALL
from assent.store.records import Hold, Page, Run, RunStart, Weights

PAGES = (
    "/me",
    "/me/chats",
    "/me/chats?q=soup",
    "/me/chats?only=kept_out",
    "/me/chat?id=test:soup",
    "/me/projects",
    "/me/choices",
    "/me/training-sets",
    "/me/flags",
    "/me/requests",
    "/me/erased",
    "/me/download",
    "/me/delete-everything",
)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_speaks_every_language(shared_centre: Centre, locale: str) -> None:
    shared_centre.enter(ANN)
    for path in PAGES:
        answer = shared_centre.client.get(path, headers={"Accept-Language": locale})
        assert answer.status_code == 200, path
        assert f'lang="{locale}" dir="{"rtl" if locale == "ar" else "ltr"}"' in answer.text


def test_every_page_has_a_calm_empty_state(shared_centre: Centre) -> None:
    shared_centre.enter("nobody-yet")
    for path in PAGES:
        answer = shared_centre.client.get(path)
        assert answer.status_code == (404 if "id=" in path else 200), path


def test_nobody_without_a_session_sees_a_page(shared_centre: Centre) -> None:
    shared_centre.leave()
    for pages in ALL:
        for entry in pages:
            path = entry.path.replace("{link}", "0" * 96)
            answer = shared_centre.client.request(entry.method, path, follow_redirects=False)
            assert answer.status_code == 401, path
            assert "Soup" not in answer.text


def test_staff_sees_no_page_of_the_centre(shared_centre: Centre) -> None:
    shared_centre.enter("mia", kind="staff", role="officer")
    assert all(shared_centre.client.get(path, follow_redirects=False).status_code == 403 for path in PAGES)


def test_no_form_is_taken_without_its_proof(shared_centre: Centre) -> None:
    shared_centre.enter(ANN)
    for pages in ALL:
        for entry in pages:
            if entry.method == "POST":
                path = entry.path.replace("{link}", "0" * 96)
                assert shared_centre.post(path, proof="another", id="test:soup").status_code == 403, path
    assert shared_centre.store.conversation("test:soup").entry.deleted_at is None


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "/me/chat?id=test:ben", {}),
        ("GET", "/me/choices/receipt?id=unknown", {}),
        ("GET", "/me/erased/proof?id=test:ben&erasure=1", {}),
        ("POST", "/me/chats/confirm", {"id": ["test:soup", "test:ben"]}),
        ("POST", "/me/chats/delete", {"id": ["test:soup", "test:ben"]}),
        ("POST", "/me/chats/bring-back", {"id": "test:ben"}),
        ("POST", "/me/flags/appeal", {"flag": "flag-2", "text": "no"}),
        ("POST", "/me/requests/take-back", {"request": "unknown"}),
    ],
)
def test_what_is_somebody_elses_is_not_found(
    shared_centre: Centre, method: str, path: str, fields: dict[str, object]
) -> None:
    shared_centre.enter(ANN)
    answer = shared_centre.get(path) if method == "GET" else shared_centre.post(path, **fields)
    assert answer.status_code == 404
    assert "Ben" not in answer.text
    assert shared_centre.store.conversation("test:soup").entry.deleted_at is None
    assert shared_centre.store.conversation("test:ben").entry.deleted_at is None


def test_hostile_titles_and_projects_stay_text(shared_centre: Centre) -> None:
    shared_centre.enter(EVE)
    pages = [shared_centre.get(path).text for path in ("/me/chats", "/me/projects")]
    pages += [shared_centre.get("/me/chat", id=f"test:evil-{n}").text for n in range(len(HOSTILE))]
    pages.append(shared_centre.post("/me/chats/confirm", id=[f"test:evil-{n}" for n in range(len(HOSTILE))]).text)
    pages.append(shared_centre.get("/me/chats", q=HOSTILE[0], project=HOSTILE[1]).text)
    for page in pages:
        assert not re.search(r"<script|<svg|<img|onerror=alert\(1\)>|<b>", page)
        assert "49" not in re.findall(r"<h1[^>]*>(.*?)</h1>", page)


def test_the_list_says_until_when_and_why(shared_centre: Centre) -> None:
    shared_centre.enter(ANN)
    page = shared_centre.get("/me/chats").text
    assert page.index("Soup without onions") < page.index("Fix totals") < page.index("A letter")
    assert "Conversations are kept up to 30 days after your last turn" in page
    assert "You have not said yes." in page
    assert "December 21, 2026" in page
    assert 'datetime="2026-12-21T12:00:00+00:00"' in page


def test_the_list_is_searched_filtered_and_paged(shared_centre: Centre) -> None:
    shared_centre.enter(ANN)

    def shown(**query: str) -> list[str]:
        return re.findall(r'name="id" value="test:(\w+)"', shared_centre.get("/me/chats", **query).text)

    assert shown() == ["soup", "code", "old"]
    assert shown(q="SOUP") == ["soup"]
    assert shown(surface="coding") == ["code"]
    assert shown(project="lighthouse") == ["code"]
    assert shown(only="flagged") == ["old"]
    assert shown(only="deleted") == []
    first = shared_centre.get("/me/chats", limit="2").text
    after = re.search(r'after=([^&"]+)" rel="next"', first)
    assert after is not None
    rest = shared_centre.client.get(f"/me/chats?after={after[1]}").text
    assert re.findall(r'value="test:(\w+)"', rest) == ["old"]


def test_deleting_says_what_it_does_and_can_be_undone(centre: Centre) -> None:
    centre.enter(ANN)
    question = centre.post("/me/chats/confirm", id=["test:soup", "test:code"])
    assert "Delete 2 conversations?" in question.text
    assert "6 Dec 2026" in question.text
    assert centre.store.conversation("test:soup").entry.deleted_at is None
    assert "Deleted." in centre.post("/me/chats/delete", id=["test:soup", "test:code"]).text
    assert centre.store.conversation("test:soup").entry.deleted_at is not None
    page = centre.get("/me/chat", id="test:soup").text
    assert "You can bring it back until" in page
    assert "It is back." in centre.post("/me/chats/bring-back", id="test:soup").text
    assert centre.store.conversation("test:soup").entry.deleted_at is None
    assert centre.store.conversation("test:code").entry.deleted_at is not None


def test_after_the_window_nothing_comes_back(centre: Centre) -> None:
    centre.enter(ANN)
    centre.store.request_deletion("test:soup", NOW - timedelta(days=15))
    page = centre.get("/me/chat", id="test:soup").text
    assert "the time to bring it back is over" in page
    assert "Bring it back" not in page
    assert "could not be brought back" in centre.post("/me/chats/bring-back", id="test:soup").text
    assert centre.store.conversation("test:soup").entry.deleted_at is not None


def test_deleting_everything_asks_for_a_word_and_can_be_taken_back(centre: Centre) -> None:
    centre.enter(ANN)
    assert "Nothing was deleted." in centre.post("/me/delete-everything", word="yes").text
    assert centre.store.conversation("test:soup").entry.deleted_at is None
    assert "Everything is deleted." in centre.post("/me/delete-everything", word=" Delete ").text
    assert all(centre.store.conversation(f"test:{one}").entry.deleted_at for one in ("soup", "code", "old"))
    assert centre.store.conversation("test:ben").entry.deleted_at is None
    requests = centre.get("/me/requests").text
    assert "Being dealt with" in requests
    name = re.search(r'name="request" value="(\w+)"', requests)
    assert name is not None
    assert "Taken back." in centre.post("/me/requests/take-back", request=name[1]).text
    assert centre.store.conversation("test:soup").entry.deleted_at is None


def test_a_change_leads_to_the_question_in_both_directions(centre: Centre) -> None:
    centre.enter(ANN)
    steps = {}
    for act in ("allow", "decline"):
        page, count = centre.get("/me").text, 1
        link = re.search(r'href="(/notice/ask\?purpose=training)"', page)
        assert link is not None
        asked, count = centre.client.get(link[1]).text, count + 1
        token = re.search(r'name="token" value="([^"]+)"', asked)
        assert token is not None
        done = centre.post("/notice/ask", token=token[1], act=act, purpose="training", conversation="")
        assert done.status_code == 200
        steps[act] = count + 1
        said = "Yes. You allowed this on" if act == "allow" else "No. You said no on"
        assert said in centre.get("/me").text
    assert steps["allow"] == steps["decline"]


def _answer(centre: Centre, act: str, **about: str) -> None:
    asked = centre.get("/notice/ask", purpose="training", **about).text
    token = re.search(r'name="token" value="([^"]+)"', asked)
    assert token is not None
    assert centre.post("/notice/ask", token=token[1], act=act, purpose="training", **about).status_code == 200


def test_one_conversation_or_project_is_kept_out_and_let_in_again(centre: Centre) -> None:
    centre.enter(ANN)
    _answer(centre, "allow")
    _answer(centre, "decline", conversation="test:soup")
    assert "You keep this conversation out of training." in centre.get("/me/chat", id="test:soup").text
    assert "You keep this one out." in centre.get("/me/chats", only="kept_out").text
    assert re.findall(r'value="test:(\w+)"', centre.get("/me/chats", only="kept_out").text) == ["soup"]
    _answer(centre, "allow", conversation="test:soup")
    assert "You keep this conversation out" not in centre.get("/me/chat", id="test:soup").text
    lighthouse = project_target("lighthouse")
    _answer(centre, "decline", project=lighthouse)
    assert "Kept out" in centre.get("/me/projects").text
    _answer(centre, "allow", project=lighthouse)
    assert "Let the general answer count" not in centre.get("/me/projects").text


def test_the_timeline_gives_every_receipt(centre: Centre) -> None:
    centre.enter(ANN)
    _answer(centre, "allow")
    page = centre.get("/me/choices").text
    links = re.findall(r'href="(/me/choices/receipt\?[^"]+)"', page.replace("&amp;", "&"))
    kinds = [centre.client.get(link).headers["content-type"].partition(";")[0] for link in links]
    assert sorted(kinds) == ["application/ld+json", "text/html", "text/plain"]
    shown = re.search(r'href="(/v1/renderings/[^"]+)"', page)
    assert shown is not None
    assert centre.client.get(shown[1]).status_code == 200
    centre.enter(BEN)
    assert all(centre.client.get(link).status_code == 404 for link in links)


def test_a_flag_is_appealed_once_and_shows_its_clock(centre: Centre) -> None:
    centre.enter(ANN)
    assert "misuse" in centre.get("/me/flags").text
    page = centre.post("/me/flags/appeal", flag="flag-1", text="<b>It was a joke</b>").text
    assert "You appealed on" in page
    assert "January 6, 2027" in page
    centre.post("/me/flags/appeal", flag="flag-1", text="again")
    made = centre.store.requests(Page(10), subject=ANN).items
    assert [(one.exercise, one.agent_request, one.status) for one in made] == [("appeal", "flag-1", "open")]
    assert "It was a joke" in made[0].claims


def test_a_request_is_opened_and_taken_back(centre: Centre) -> None:
    centre.enter(ANN)
    assert centre.post("/me/requests/open", wish="everything").status_code == 422
    assert "To be answered by" in centre.post("/me/requests/open", wish="correction", text="my plan").text
    (made,) = centre.store.requests(Page(10), subject=ANN).items
    centre.enter(BEN)
    assert centre.post("/me/requests/take-back", request=made.id).status_code == 404
    centre.enter(ANN)
    assert "Taken back" in centre.post("/me/requests/take-back", request=made.id).text
    assert centre.store.request(made.id).claims == ""


def test_a_hold_under_a_gag_is_on_no_page(centre: Centre) -> None:
    later = NOW + timedelta(days=90)
    centre.store.place_hold(Hold("h-1", "m-1", "person", ANN, NOW, "mia", "an order", later, gag=True))
    centre.enter(ANN)
    pages = "".join(centre.get(path).text for path in PAGES)
    assert "A legal hold covers" not in pages
    assert "Under a legal hold" not in pages
    assert "h-1" not in pages
    centre.store.place_hold(Hold("h-2", "m-2", "person", ANN, NOW, "mia", "an order", later))
    assert "A legal hold covers 3 conversations of yours" in centre.get("/me").text
    assert "Under a legal hold" in centre.get("/me/chats").text


def test_training_sets_name_what_ends_and_what_does_not(shared_centre: Centre) -> None:
    shared_centre.enter(ANN)
    page = shared_centre.get("/me/training-sets").text
    assert "spring 1" in page
    assert "A training run that has already started goes on." in page
    assert "spring 1" in shared_centre.get("/me/chat", id="test:soup").text
    shared_centre.enter(BEN)
    assert "spring" not in shared_centre.get("/me/training-sets").text


def test_runs_are_named_with_what_has_become_of_their_models(centre: Centre) -> None:
    store = centre.store
    cut = store.cuts_named("spring")[0]
    for number, name in enumerate(("first", "second", "without")):
        planned = Run(name, "spring", 1, cut.manifest, "training", "mine", "sha256:c", "1", NOW)
        store.plan_run(planned, [one.conversation for one in store.members("spring", 1)] if name == "without" else [])
        store.start_run(name, RunStart(NOW + timedelta(hours=number), "[]", 1, 1, 1, "{}"))
    store.end_run("first", "finished", NOW, made=Weights("first", "sha256:w", "w", NOW, superseded_by="without"))
    centre.enter(ANN)
    page = centre.get("/me/training-sets").text
    assert "Replaced by one trained without what was left out" in page
    assert page.index("second") < page.index("first")
    assert "Under way" in page
    assert "without</span>" not in page
    centre.enter(BEN)
    assert "No training run has used any conversation of yours." in centre.get("/me/training-sets").text


def test_a_chat_names_the_systems_that_may_hold_copies_but_nobody_elses(centre: Centre) -> None:
    centre.enter(ANN)
    assert "Systems that may hold copies" not in centre.get("/me/chat", id="test:soup").text
    folder = centre.home.settings.home / "connectors"
    folder.mkdir()
    agent = 'kind = "coding-agents"\nagent = "codex"\nhome = "codex"\n'
    files = {
        "gateway": 'also = ["test"]\n',
        "anns-laptop": f'also = ["test"]\nowner = "{ANN}"\n',
        "bens-laptop": f'also = ["test"]\nowner = "{BEN}"\n',
        "something-else": "",
        "broken": "agnt = 3\n",
    }
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(agent + text)
    page = centre.get("/me/chat", id="test:soup").text
    assert re.findall(r'<li dir="auto">([\w-]+)</li>', page) == ["anns-laptop", "broken", "gateway"]
    assert "nothing of it is found there" in page
