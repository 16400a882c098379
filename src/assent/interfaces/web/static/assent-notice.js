// <assent-notice> (docs/how-to/embed-the-notice.md)
const SHEET = new CSSStyleSheet();
SHEET.replaceSync(`
:host{--g:var(--assent-ground,light-dark(#fff,#1a1d21));--i:var(--assent-ink,light-dark(#1c2123,#e9ecec));--q:var(--assent-quiet,light-dark(#565f63,#a9b3b6));
--l:var(--assent-line,light-dark(#d9d5cc,#3b4449));--a:var(--assent-accent,light-dark(#0f5e5a,#7fd1c7));--w:var(--assent-wash,light-dark(#f6f4f0,#22272b));
--r:var(--assent-radius,.75rem);--p:clamp(1.25rem,4vw,2.25rem);color-scheme:light dark;display:block;font:1rem/1.5 var(--assent-font,system-ui,sans-serif)}
:host([hidden]),[hidden]{display:none}
*{box-sizing:border-box;margin:0}
dialog,.panel,.slip,.chip,.lock{background:var(--g);color:var(--i);border:1px solid var(--l);border-radius:var(--r);padding:0}
dialog{width:min(var(--assent-width,44rem),100vw - 1.5rem);max-height:calc(100dvh - 1.5rem);margin:auto;overflow:hidden;box-shadow:0 0 3rem #0005}
dialog[open]{display:flex;flex-direction:column}
dialog::backdrop{background:#1118}
.body{overflow:auto;padding:var(--p)}
.top{display:flex;gap:1rem;justify-content:space-between}
h1{font-size:1.5rem;line-height:1.25;font-weight:650;outline:0!important}
h2,th{font-size:1rem;font-weight:650;text-align:start;margin-block-end:.25rem}
ul{padding:0;list-style:none}li+li,.quiet{margin-block-start:.25rem}
section:not(.quiet *,.pair *),.gap{margin-block-start:1.25rem}
.quiet,dt{color:var(--q)}.fine{font-size:.8125rem;overflow-wrap:anywhere}
.pair{display:grid;gap:.75rem}.pair>*,blockquote{background:var(--w);border-radius:var(--r);padding:1rem 1.25rem}
@media(min-width:40rem){.wide{grid-template-columns:1fr 1fr}}
table{width:100%;border-collapse:collapse;table-layout:fixed}th,td{vertical-align:top;padding:.5rem .75rem .5rem 0;border-block-end:1px solid var(--l)}
.row{display:grid;grid-template-columns:1fr 1fr;gap:.75rem;padding:1rem var(--p) 1.25rem;border-block-start:1px solid var(--l)}
button{font:inherit;color:inherit;cursor:pointer;background:none;border:0;padding:.25rem;min-height:2rem;min-width:2rem}
.answer{min-height:3rem;padding:.5rem 1rem;font-weight:600;border:1.5px solid;border-radius:var(--r)}
.answer:hover,.plain:hover{background:var(--w)}
.plain{grid-column:1/-1;min-height:2.75rem;border:1px solid var(--l);border-radius:var(--r)}
.link,a,summary{color:var(--a);padding-inline:0;text-decoration:underline;text-underline-offset:.2em;cursor:pointer}
a{display:inline-block;min-height:1.5rem}
summary{padding-block:.25rem}
:focus-visible{outline:3px solid var(--a);outline-offset:2px;border-radius:.25rem}
.x{font-size:1.5rem;line-height:1;color:var(--q)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}
blockquote{margin-block:.5rem;overflow-wrap:anywhere;white-space:pre-wrap}
mark{background:light-dark(#d5ebe8,#1f4a46);color:inherit;border-radius:.2em;padding:0 .15em}
.slip,.chip{display:flex;flex-wrap:wrap;gap:.125rem .75rem;align-items:center;padding:.5rem 1.25rem}.slip p{flex:1 1 16rem}
.chip{display:inline-flex;padding:.375rem 1rem;font-size:.875rem;border-radius:1.25rem;text-decoration:none}
.chip:hover{border-color:var(--i)}.chip::marker{content:""}
.lock{margin-block-start:.5rem;padding:1rem 1.25rem;max-width:26rem}
.hush{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}`);

const ASKED = ["purpose", "campaign", "conversation", "client", "locale"];
const PATHS = { control: "standing", marker: "lock", lock: "lock" };
const sessions = new Map(); // one a token

const el = (name, given, ...inside) => {
	const node = document.createElement(name);
	for (const [key, value] of Object.entries(given))
		if (typeof value === "function") node.addEventListener(key, value);
		else if (value || value === "") node.setAttribute(key, value);
	node.append(...inside.flat(2).filter(Boolean));
	return node;
};
const list = (lines) => el("ul", {}, lines.map((one) => el("li", { "data-fact": one.fact }, one.text ?? one)));
const part = (one) => el("section", {}, one.heading && el("h2", { "data-fact": one.id === "silence" && "deadline" }, one.heading), list(one.lines));
const named = (shown, ...ids) => shown.sections.filter((one) => ids.includes(one.id));
const button = (kind, text, click, more) => el("button", { class: kind, part: kind, type: "button", click, ...more }, text);
const dot = (on) => el("span", { "aria-hidden": "true" }, on ? "●" : "○");
const gap = (...inside) => el("p", { class: "gap" }, ...inside);
const table = (sides) => {
	const rows = Array.from({ length: Math.max(...sides.map((one) => one.lines.length)) }, (_, at) => sides.map((one) => el("td", {}, one.lines[at]?.text)));
	return el("table", { class: "gap" }, el("tr", {}, sides.map((one) => el("th", { scope: "col" }, one.heading))), rows.map((row) => el("tr", {}, row)));
};

class AssentNotice extends HTMLElement {
	static observedAttributes = [...ASKED, "server", "token", "mode"];
	#root = this.attachShadow({ mode: "open" });
	#live = el("p", { class: "hush", role: "status" });
	#words = {};
	#turn = 0;
	#busy = false;

	connectedCallback() {
		this.#root.adoptedStyleSheets = [SHEET];
		this.#restart();
	}

	disconnectedCallback() {
		this.#turn++;
		this.#root.replaceChildren();
	}

	attributeChangedCallback(_name, before, now) {
		if (this.isConnected && before !== now) this.#restart();
	}

	/** Show the question now. */
	open() {
		return this.#try(async () => this.#question(await this.#fetch("question", this.#what({ campaign: "" }))));
	}

	get #mode() {
		return this.getAttribute("mode") ?? "ask";
	}

	async #restart() {
		const turn = ++this.#turn;
		await null;
		if (turn !== this.#turn || !this.getAttribute("server") || !this.getAttribute("token")) return;
		this.#root.replaceChildren(this.#live);
		await this.#try(() => this.#begin(turn));
	}

	async #begin(turn = this.#turn) {
		const mode = this.#mode;
		const got = await this.#fetch(PATHS[mode] ?? "question", this.#what(mode === "ask" && { reminder: 1 }));
		if (turn !== this.#turn) return;
		if (mode === "control") this.#control(got);
		else if (mode === "marker") this.#marker(got);
		else if (mode === "lock") this.#lock(got);
		else if (mode === "panel" || (got.asked && (got.campaign || got.before === "unasked"))) this.#question(got);
		else if (got.remind) this.#remind(got);
	}

	async #try(what) {
		try {
			return await what();
		} catch (problem) {
			this.#tell("assent-failed", { status: problem.status ?? 0 });
		}
	}

	#tell(name, detail) {
		this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
	}

	#what(more) {
		const what = { client: matchMedia("(max-width:40rem)").matches ? "mobile" : "desktop" };
		for (const name of ASKED) what[name] = this.getAttribute(name) || what[name];
		what.locale ||= this.closest("[lang]")?.lang || navigator.language;
		return Object.entries({ ...what, ...more }).filter((pair) => pair[1]);
	}

	async #fetch(path, what, post) {
		const token = this.getAttribute("token");
		const base = `${this.getAttribute("server").replace(/\/$/, "")}/notice/`;
		const load = async (url, body, headers) => {
			const answer = await fetch(base + url, { credentials: "omit", cache: "no-store", method: body && "POST", body, headers });
			if (!answer.ok) throw answer;
			return url.startsWith("receipt/") ? answer.blob() : answer.json();
		};
		const form = new URLSearchParams(what);
		const known = sessions.has(base + token);
		if (!known) sessions.set(base + token, load("session", new URLSearchParams([...form, ["first", path], ["token", token]])));
		const { session, first } = await sessions.get(base + token);
		const headers = { Authorization: `Bearer ${session}` };
		const got = (!known && first) || (await load(post ? path : `${path}?${form}`, post && form, headers));
		Object.assign(this.#words, got.words);
		return got;
	}

	#show(got, title, below, row, stay) {
		const panel = this.#mode === "panel";
		let box = this.#root.querySelector("dialog,.panel");
		const anew = !box;
		if (anew) {
			box = panel ? el("div", { class: "panel", part: "panel", role: "region" }) : el("dialog", { part: "dialog", close: () => this.#closed(box) });
			this.#root.append(box);
		}
		Object.assign(box, { stay, left: got.campaign && got.token, lang: got.locale, dir: got.direction });
		box.setAttribute("aria-labelledby", "q");
		const heading = el("h1", { id: "q", tabindex: "-1", autofocus: !panel, part: "question" }, title);
		const close = !stay && !panel && button("x", "×", () => this.#done("closed"), { "aria-label": this.#words.close });
		box.replaceChildren(
			el("div", { class: "body" }, el("div", { class: "top" }, heading, close), below),
			el("div", { class: "row", part: "answers", role: "group", "aria-labelledby": "q" }, row),
			this.#live,
		);
		if (!panel && !box.open) box.showModal();
		if (!panel || !anew) heading.focus();
	}

	#closed(box) {
		if (box.stay && !box.how) return box.showModal(); // an answer is due, or a way out
		box.remove();
		this.#root.append(this.#live);
		if (box.left) this.#try(() => this.#fetch("closed", { token: box.left }, true));
		this.#tell("assent-closed", { how: box.how ?? "closed" });
		this.#focus();
	}

	#focus() {
		this.#root.querySelector("button,summary")?.focus();
	}

	#done(how) {
		const box = this.#root.querySelector("dialog");
		if (!box) return this.#restart();
		box.how = how;
		box.close();
	}

	#question(got) {
		const shown = JSON.parse(got.body);
		const words = this.#words;
		const sides = named(shown, "allow", "decline");
		const pair = shown.layout === "table" ? table(sides) : el("div", { class: `gap pair ${shown.layout === "side-by-side" && "wide"}` }, sides.map(part));
		const more = el("details", { class: "gap", part: "details", toggle: () => this.#examples(more) }, el("summary", {}, words.more), el("div", { class: "gap" }, words.loading));
		const full = el("a", { href: shown.policy.address, target: "_blank" }, words.full_text);
		const names = ` · ${shown.policy.name} · ${shown.notice.name} ${shown.notice.version} · ${got.rendering}`;
		const below = [el("div", { class: "quiet" }, named(shown, "about").map(part)), got.about ? gap(words.only_this) : !got.campaign && gap(`${got.said} ${got.since}`), pair,
			named(shown, "either", "back", "undo", "silence").map(part), more, el("p", { class: "gap quiet fine", dir: "ltr" }, full, names)];
		// a script's press is nobody's answer
		const row = shown.options.map(({ act, label }) => button(act === "defer" ? "plain" : "answer", label, (event) => event.isTrusted && this.#answer(got, shown, act), { value: act }));
		const ways = (got.escape ?? []).map(({ way, label }) => button("plain", label, () => this.#done(way)));
		this.#show(got, shown.question, below, [row, ways], got.blocked);
	}

	async #examples(more) {
		const inside = more.lastElementChild;
		if (!more.open || inside.childElementCount) return;
		inside.textContent = this.#words.loading;
		const got = await this.#try(() => this.#fetch("effects", this.#what()));
		if (!got) return (inside.textContent = this.#words.unknown);
		const dates = got.dates.map(([when, day]) => [el("dt", {}, when), el("dd", {}, day)]);
		const quote = got.preview.map(([text, made]) => (made ? el("mark", {}, text) : text));
		inside.replaceChildren(
			list(got.counts),
			el("section", { hidden: !dates.length }, el("h2", {}, got.dates_title), el("dl", {}, dates)),
			el("section", {}, el("h2", {}, got.preview_title), quote.length && el("blockquote", { dir: "auto" }, quote), el("p", { class: "quiet" }, got.preview_note)),
		);
	}

	async #answer(got, shown, act) {
		if (this.#busy) return;
		this.#busy = true;
		const made = await this.#try(() => this.#send(got, act));
		this.#busy = false;
		const say = (className, textContent) => Object.assign(this.#live, { className, textContent });
		if (!made) return say("row", this.#words.failed);
		const ids = act === "defer" ? ["silence"] : made.before === "allowed" && act === "decline" ? [act, "back", "undo"] : [act];
		const below = [el("p", { class: "quiet" }, made.when), named(shown, ...ids).map((one) => part(one.id === act ? { lines: one.lines } : one)), made.left && gap(made.left), gap(this.#receipt(made.choice))];
		const row = [this.#change(this.#words.change, "answer"), button("answer", this.#words.done, () => this.#done("answered"))];
		this.#show({ ...got, token: "" }, made.said, below, row);
		say("hush", `${made.said}. ${made.when}`);
		if (PATHS[this.#mode]) this.#try(() => this.#begin());
	}

	async #send(got, act) {
		const made = await this.#fetch("choice", { token: got.token, purpose: got.purpose, locale: got.locale, conversation: got.about ?? "", act }, true);
		this.#tell("assent-choice", { purpose: got.purpose, act, standing: made.after, choice: made.choice });
		return made;
	}

	#receipt(choice) {
		return button("link", this.#words.receipt, () => this.#try(async () => {
			const href = URL.createObjectURL(await this.#fetch(`receipt/${choice}`, {}));
			el("a", { href, download: "receipt.json" }).click();
			setTimeout(() => URL.revokeObjectURL(href), 60000);
		}));
	}

	#place(got, node) {
		Object.assign(node, { lang: got.locale, dir: got.direction });
		const had = this.#root.activeElement;
		for (const one of [...this.#root.children]) if (one.localName !== "dialog" && one !== this.#live) one.remove();
		this.#root.prepend(node);
		if (had && !this.#root.activeElement) this.#focus();
	}

	#change(text, kind = "link", more) {
		return button(kind, text, () => this.open(), { "aria-haspopup": "dialog", ...more });
	}

	#control(got) {
		this.#place(got, el("div", {}, this.#change([dot(got.uses), got.said, el("u", {}, this.#words.change)], "chip", { part: "control" })));
	}

	#marker(got) {
		if (!got.marker) return this.#place(got, el("div", { hidden: true }));
		const out = (event) => event.isTrusted && this.#try(async () => {
			await this.#send(await this.#fetch("question", this.#what({ campaign: "" })), "decline");
			await this.#begin();
		});
		const way = got.marker.out ? this.#change(this.#words.change) : button("link", this.#words.keep_out, out);
		this.#place(got, el("div", { class: "slip", part: "marker", role: "status" }, el("p", {}, got.marker.said), way));
	}

	#lock(got) {
		const open = this.#root.querySelector("details")?.open;
		const inside = el("div", { class: "lock" }, list(got.reasons), el("p", { class: "quiet" }, got.erased), this.#change(this.#words.change_chat));
		this.#place(got, el("details", { part: "lock", open: open && "open" }, el("summary", { class: "chip" }, dot(got.counts), got.said), inside));
	}

	#remind(got) {
		const keep = button("link", this.#words.keep, () => (this.#root.replaceChildren(this.#live), this.#tell("assent-closed", { how: "kept" })));
		this.#place(got, el("div", { class: "slip", part: "reminder", role: "status" }, el("p", {}, got.remind.said), this.#change(this.#words.change), keep, this.#receipt(got.remind.choice)));
	}
}

customElements.get("assent-notice") ?? customElements.define("assent-notice", AssentNotice);
