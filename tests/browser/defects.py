"""One defect each: an edit of fixtures/fair.html, the requirements it breaks, and words of what is then measured."""

ALLOW = '<button name="act" value="allow">Allow</button>'
DECLINE = '<button name="act" value="decline">Don\'t allow</button>'
END = "</section>"
SEND = "const send = (act) => fetch('/choices', {method: 'POST', body: JSON.stringify({act})});"
MORE = """
<button type="button" id="more">More options</button>
<button name="act" value="decline" id="hidden" hidden>Don't allow</button>
<script>
document.getElementById("more").onclick = () => {
  document.getElementById("hidden").hidden = false;
  document.getElementById("more").remove();
};
</script>"""
PICTURE = """
<button name="act" value="decline" aria-label="Don't allow"><svg width="80" height="20"></svg></button>"""
RADIOS = """
<label class="option"><input type="radio" name="act" value="decline"> Don't allow</label>
<label class="option"><input type="radio" name="act" value="allow" checked> Allow</label>
<button>Save</button>
<style>.option { border: 2px solid; padding: 10px } .option input { width: 24px; height: 24px }</style>"""
COUNTDOWN = """
<p id="left">Answer within 300 seconds</p>
<script>let n = 300; setInterval(() => left.textContent = `Answer within ${--n} seconds`, 1000)</script>"""
LINK = """
<a class="link" href="/choices?act=decline">Don't allow</a>
<style>.link { border: 2px solid #1b1b1b; color: #1b1b1b; text-align: center; line-height: 40px }</style>"""
CLOSE = '<button type="button" aria-label="Close" onclick="send(\'allow\')">×</button>'

DEFECTS = {
    "focus on allow": ((ALLOW, ALLOW.replace("<button", "<button autofocus")), {"R01": ["the focus is on", "Enter"]}),
    "focus on allow after a while": (
        (END, f"{END}<script>setTimeout(() => document.querySelector('[value=allow]').focus(), 700)</script>"),
        {"R01": ["after a second"]},
    ),
    "Enter grants": (
        (END, f"{END}<script>{SEND} onkeydown = (event) => {{ if (event.key === 'Enter') send('allow') }}</script>"),
        {"R01": ["pressing Enter allows"]},
    ),
    "Escape grants": (
        (END, f"{END}<script>{SEND} onkeydown = (event) => {{ if (event.key === 'Escape') send('allow') }}</script>"),
        {"R01": ["pressing Escape allows"]},
    ),
    "scrolling grants": (
        (END, f"<p style='height: 900px'></p>{END}<script>{SEND} onscroll = () => send('allow')</script>"),
        {"R01": ["scrolling allows"]},
    ),
    "a click beside it grants": (
        (END, f"{END}<script>{SEND} onclick = (e) => e.target.closest('section') || send('allow')</script>"),
        {"R01": ["clicking beside it allows"]},
    ),
    "closing grants": ((END, f"{CLOSE}{END}<script>{SEND}</script>"), {"R01": ["closing by `Close` allows"]}),
    "waiting grants": (
        (END, f"{END}<script>{SEND} setTimeout(() => send('allow'), 30_000)</script>"),
        {"R08": ["waiting for 60 s allows"]},
    ),
    "leaving grants": (
        (END, f"{END}<script>onpagehide = () => navigator.sendBeacon('/choices', 'act=allow')</script>"),
        {"R08": ["leaving the page allows"]},
    ),
    "a preset radio button": (
        (f"{DECLINE}\n{ALLOW}", RADIOS),
        {"R01": ["`Allow` is set beforehand"], "R03": ["declining takes 2 activations"]},
    ),
    "two steps to decline": (
        (DECLINE, MORE),
        {"R03": ["declining takes 2 activations (`More options` > `Don't allow`)"]},
    ),
    "declining takes its time": (
        (
            DECLINE,
            DECLINE.replace(" name", " disabled name")
            + "<script>setTimeout(() => document.querySelector('[disabled]').disabled = false, 3000)</script>",
        ),
        {"R03": ["declining takes"], "R14": ["Tab does not reach decline"]},
    ),
    "only later instead of decline": (
        (DECLINE, '<button name="act" value="defer">Decide later</button>'),
        {"R04": ["nothing declines, only `Decide later`"]},
    ),
    "bundled terms": (
        ("<h1>May Lantern", "<p>By answering you accept our updated terms.</p><h1>May Lantern"),
        {"R06": ["`terms` and `accept`"]},
    ),
    "a double negative": (
        (">Don't allow</button>", ">Don't opt out</button>"),
        {"R09": ["`don't` and `opt out`"]},
    ),
    "a countdown": (
        (END, COUNTDOWN + END),
        {"R10": ["counts while nothing is done"]},
    ),
    "hurry": (("<p>Your chats are not used.", "<p>Last chance! Your chats are not used."), {"R10": ["`last chance`"]}),
    "praise": (("<p>Models may train", "<p>Help us improve. Models may train"), {"R11": ["3 on the side of allowing"]}),
    "no word on retention": (("They are kept for 5 years. ", ""), {"R12": ["how long it is kept if allowed"]}),
    "a smaller font": (
        ("</style>", "[value=decline] { font-size: 11px }</style>"),
        {"R02": ["font size: allow 15, decline 11"]},
    ),
    "a smaller button": (
        ("</style>", "[value=decline] { width: 40%; justify-self: center }</style>"),
        {"R02": ["times as large as allow"]},
    ),
    "another row": (
        ("grid-template-columns: 1fr 1fr", "grid-template-columns: 1fr"),
        {"R02": ["px apart in height"]},
    ),
    "decline drawn as a picture": ((DECLINE, PICTURE), {"R02": ["decline is a picture, allow is text"]}),
    "decline as a link": (
        (DECLINE, LINK),
        {"R02": ["allow is a button, decline a link"]},
    ),
    "small targets": (
        ("min-height: 44px", "height: 20px; padding: 0; line-height: 1"),
        {"R14": ["allow is", "decline is"]},
    ),
    "no visible focus": (
        ("button:focus-visible { outline: 3px solid #0b4f9e; outline-offset: 2px }", "button:focus { outline: 0 }"),
        {"R14": ["allow looks the same", "decline looks the same"]},
    ),
    "out of reach by keyboard": (
        (DECLINE, DECLINE.replace("<button", '<button tabindex="-1"')),
        {"R14": ["Tab does not reach decline"]},
    ),
    "motion in spite of the wish": (
        ("</style>", "h1 { animation: shake 1s infinite } @keyframes shake { to { opacity: .8 } }</style>"),
        {"R14": ["1 animations run"]},
    ),
}
KNOWN = (
    "focus on allow",
    "Enter grants",
    "closing grants",
    "waiting grants",
    "a preset radio button",
    "two steps to decline",
    "bundled terms",
    "decline drawn as a picture",
)
"""Defects that are tried in every run, in one window each; the other window, and the others, in the deep run."""
NARROW_ONLY = {
    "below the fold on a telephone": (
        ("</style>", "@media (max-width: 40rem) { [value=decline] { position: absolute; top: 900px } }</style>"),
        "R02",
        "decline is out of view",
    ),
}
WIDE_ONLY = {
    "too wide when enlarged": (
        ("</style>", "@media (min-width: 500px) { h1 { width: 700px } }</style>"),
        "R14",
        "too wide",
    ),
}
