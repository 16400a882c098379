// What one page shows, measured in CSS pixels and colours. Nothing is changed on the page and nothing is judged here:
// src/assent/services/notice/audit/ does that. The value is an object that the driver keeps and asks again.
({ allow, decline }) => {
  const PRESSABLE =
    'button, a[href], summary, input:not([type=hidden]), select, [role=button], [role=switch], [role=checkbox], ' +
    '[role=radio], [role=link], [role=menuitem], [role=option], [onclick]';
  const TEXT_FIELDS = ['text', 'email', 'search', 'password', 'tel', 'url', 'number', 'date', 'file'];
  const PRESS_INPUTS = ['submit', 'button', 'image', 'reset'];
  const brush = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
    .getContext('2d', { willReadFrequently: true });
  const known = new Map();
  let found = [];

  // Any CSS colour, in any colour space, as sRGB: the canvas knows them all.
  const colourOf = (text) => {
    if (!known.has(text)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = '#000';
      brush.fillStyle = text;
      brush.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = brush.getImageData(0, 0, 1, 1).data;
      known.set(text, [red, green, blue, alpha / 255]);
    }
    return [...known.get(text)];
  };

  // The tree as it is drawn: open shadow roots and slots included.
  const above = (node) => node.assignedSlot || node.parentElement || node.getRootNode().host || null;
  const deep = (selector, root = document) => {
    const here = [];
    for (const node of root.querySelectorAll('*')) {
      if (node.matches(selector)) here.push(node);
      if (node.shadowRoot) here.push(...deep(selector, node.shadowRoot));
    }
    return here;
  };
  const shown = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && box.height > 0 &&
      node.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  };
  // A check box that is hidden behind a drawn one is pressed and seen through its label.
  const face = (node) => {
    const box = node.getBoundingClientRect();
    const tiny = box.width < 2 || box.height < 2;
    return (!shown(node) || tiny) && node.labels ? [...node.labels].find(shown) || node : node;
  };
  const words = (node) => (node?.innerText ?? node?.textContent ?? '').replace(/\s+/g, ' ').trim();
  // innerText leaves out what stands in shadow roots.
  const textOf = (node) => [node.innerText ?? '', ...deep('*', node).concat(node).filter((host) => host.shadowRoot)
    .flatMap((host) => [...host.shadowRoot.children].map((child) => child.innerText ?? ''))].join('\n');
  const drawn = (node) => [...node.querySelectorAll('img, svg')];
  const labelOf = (node) => {
    const referred = (node.getAttribute('aria-labelledby') || '').split(/\s+/).filter(Boolean)
      .map((id) => words(node.getRootNode().getElementById?.(id))).join(' ').trim();
    const pressed = node.tagName === 'INPUT' && PRESS_INPUTS.includes(node.type);
    return referred || node.getAttribute('aria-label') || (pressed && (node.value || node.alt)) ||
      (node.labels?.length && [...node.labels].map(words).join(' ').trim()) || words(node) ||
      drawn(node).map((image) => image.getAttribute('alt') || image.getAttribute('aria-label') ||
        image.querySelector?.('title')?.textContent || '').join(' ').trim() ||
      node.getAttribute('title') || '';
  };
  const kindOf = (node) => {
    const role = node.getAttribute('role');
    if (['switch', 'checkbox', 'radio', 'button', 'link'].includes(role)) return role;
    if (node.tagName === 'INPUT') {
      if (['checkbox', 'radio'].includes(node.type)) return node.type;
      return PRESS_INPUTS.includes(node.type) ? 'button' : 'other';
    }
    if (['BUTTON', 'SUMMARY'].includes(node.tagName)) return 'button';
    return node.tagName === 'A' ? 'link' : 'other';
  };
  const stateOf = (node) => {
    if (node.tagName === 'INPUT' && ['checkbox', 'radio'].includes(node.type)) return node.checked;
    const told = node.getAttribute('aria-checked') ?? node.getAttribute('aria-pressed');
    return told === null ? null : told === 'true';
  };
  const actOf = (node) => {
    if (node.name === 'act' && node.value) return node.value;
    return node.getAttribute('data-act') || node.getAttribute('data-assent-act') || '';
  };
  const whereOf = (node) => {
    const steps = [];
    for (let at = node; at && steps.length < 4; at = above(at)) {
      const tag = at.tagName.toLowerCase();
      if (at.id) { steps.unshift(`${tag}#${at.id}`); break; }
      const value = at.getAttribute('value');
      const peers = at.parentNode ? [...at.parentNode.children].filter((peer) => peer.tagName === at.tagName) : [at];
      const place = peers.length > 1 ? `:nth-of-type(${peers.indexOf(at) + 1})` : '';
      steps.unshift(tag + (at === node && value && value.length < 20 ? `[value="${value}"]` : place));
      if (at === document.body) break;
    }
    return steps.join(' > ');
  };
  const opacityOf = (node) => {
    let product = 1;
    for (let at = node; at; at = above(at)) product *= Number(getComputedStyle(at).opacity);
    return product;
  };
  const faded = (text, node) => {
    const colour = colourOf(text);
    colour[3] *= opacityOf(node);
    return colour;
  };
  // The element that holds the first visible letters: its font and colour are what is read.
  const lettered = (node) => {
    const walk = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const holder = walk.currentNode.parentElement;
      if (walk.currentNode.data.trim() && shown(holder)) return holder;
    }
    return null;
  };
  const groundsOf = (node, control) => {
    const grounds = [];
    let own = 0, painted = false;
    let inside = true;
    for (let at = node; at; at = above(at)) {
      const style = getComputedStyle(at);
      painted ||= style.backgroundImage !== 'none';
      const colour = faded(style.backgroundColor, at);
      if (colour[3] > 0) { grounds.push(colour); own += inside ? 1 : 0; }
      if (at === control) inside = false;
      if (!inside && colour[3] >= 0.999) break;
    }
    const scheme = getComputedStyle(document.documentElement).colorScheme;
    grounds.push(scheme === 'dark' ? [18, 18, 18, 1] : [255, 255, 255, 1]);
    return { grounds, own, painted };
  };
  // Everything that a focus can be shown by; what is not drawn counts as none.
  const LINES = ['outline', 'borderTop'];
  const SIGNS = ['boxShadow', 'backgroundColor', 'color', 'textDecorationLine', 'filter', 'transform'];
  const ringOf = (node) => {
    const style = getComputedStyle(node);
    const lines = LINES.map((line) => {
      const [kind, width] = [style[`${line}Style`], style[`${line}Width`]];
      return kind === 'none' || parseFloat(width) === 0 ? 'none' : `${kind} ${width} ${style[`${line}Color`]}`;
    });
    return [...lines, ...SIGNS.map((name) => style[name])].join('; ');
  };

  const describe = (node, index, given) => {
    const control = face(node);
    const box = control.getBoundingClientRect();
    const middle = [box.x + box.width / 2, box.y + box.height / 2];
    let top = document.elementFromPoint(...middle);
    while (top?.shadowRoot && top.shadowRoot.elementFromPoint(...middle) && top.shadowRoot.elementFromPoint(...middle) !== top) {
      top = top.shadowRoot.elementFromPoint(...middle);
    }
    let covered = top !== null;
    for (let at = top; at; at = above(at)) if (at === control || at === node) covered = false;
    const text = lettered(control);
    const style = getComputedStyle(text || control);
    const frame = getComputedStyle(control);
    const labelled = node.tagName === 'INPUT' && PRESS_INPUTS.includes(node.type) && node.type !== 'image' && node.value;
    const bare = !text && !labelled && !['checkbox', 'radio'].includes(node.type);
    return {
      index, given, kind: kindOf(node), label: labelOf(node).slice(0, 200), act: actOf(node), where: whereOf(node),
      box: { x: box.x, y: box.y, width: box.width, height: box.height },
      in_view: box.x >= -0.5 && box.y >= -0.5 && box.right <= innerWidth + 0.5 && box.bottom <= innerHeight + 0.5,
      covered, checked: stateOf(node),
      disabled: node.disabled === true || node.getAttribute('aria-disabled') === 'true',
      font: { family: style.fontFamily, size: parseFloat(style.fontSize), weight: Number(style.fontWeight),
        style: style.fontStyle },
      colour: faded(style.color, text || control),
      ...groundsOf(text || control, control),
      picture: Boolean(bare && (node.type === 'image' || drawn(control).length || frame.backgroundImage !== 'none' ||
        frame.maskImage !== 'none')),
      border: frame.borderTopStyle === 'none' ? 0 : parseFloat(frame.borderTopWidth),
      border_colour: faded(frame.borderTopColor, control),
      ring: ringOf(control),
    };
  };
  const focused = () => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at;
  };

  return {
    look: () => {
      const chosen = new Map();
      if (allow) for (const node of deep(allow)) chosen.set(node, 'allow');
      if (decline) for (const node of deep(decline)) chosen.set(node, 'decline');
      const nodes = deep(PRESSABLE).concat([...chosen.keys()].filter((node) => !node.matches(PRESSABLE)));
      found = nodes.filter((node) => shown(face(node)) && !TEXT_FIELDS.includes(node.type));
      const index = found.indexOf(focused());
      return {
        controls: found.map((node, number) => describe(node, number, chosen.get(node) || '')),
        focused: index < 0 ? null : index,
        language: document.documentElement.lang || '',
        right_to_left: getComputedStyle(found[0] || document.documentElement).direction === 'rtl',
        scroll_width: document.documentElement.scrollWidth,
        width: document.documentElement.clientWidth,
        moving: document.getAnimations().filter((motion) => motion.playState === 'running' &&
          !(motion instanceof CSSTransition) && shown(motion.effect?.target ?? document.documentElement)).length,
        embedded: [...document.querySelectorAll('iframe')].filter(shown).length,
        text: document.body?.innerText ?? '',
      };
    },
    region: (indices) => {
      const paths = indices.map((index) => {
        const path = [];
        for (let at = found[index]; at; at = above(at)) path.push(at);
        return path;
      });
      const shared = (paths[0] || []).filter((node) => paths.every((path) => path.includes(node)));
      const whole = 'dialog, [role=dialog], [role=alertdialog], section, article, main, body';
      const region = shared.find((node) => node.matches(whole)) || document.body;
      const read = (selector) => deep(selector, region).concat(region.matches(selector) ? [region] : []).filter(shown);
      const marked = {};
      for (const node of read('[data-fact]')) {
        marked[node.dataset.fact] = `${marked[node.dataset.fact] || ''} ${words(node)}`.trim();
      }
      return { where: whereOf(region), text: textOf(region), marked,
        headings: read('h1, h2, h3, legend, [role=heading]').map(words) };
    },
    element: (index) => face(found[index]),
    ring: (index) => ringOf(face(found[index])),
    focus: () => { const index = found.indexOf(focused()); return index < 0 ? null : index; },
    blur: () => focused()?.blur(),
    kept: () => {
      const pairs = document.cookie.split('; ').filter(Boolean).map((pair) => pair.split(/=(.*)/s).slice(0, 2));
      try {
        for (const store of [localStorage, sessionStorage]) pairs.push(...Object.entries(store));
      } catch { /* a page without an origin keeps nothing */ }
      return pairs.map(([name, value]) => [String(name), String(value ?? '')]);
    },
    // People close a window or turn to another: the page is told so, and stays, so that nothing it sends then escapes.
    leave: () => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      for (const name of ['beforeunload', 'pagehide', 'unload']) window.dispatchEvent(new Event(name));
    },
    // Where no control is, and outside of what asks if there is such a place.
    emptySpot: () => {
      const spots = [];
      for (const y of [3, innerHeight / 2, innerHeight - 4]) {
        for (const x of [3, innerWidth / 2, innerWidth - 4]) {
          const at = document.elementFromPoint(x, y);
          const pressable = at?.closest(`${PRESSABLE}, label`);
          const inside = at?.closest('dialog, [role=dialog], [role=alertdialog], form, section, article');
          if (!pressable) spots.push({ x, y, inside: Boolean(inside) });
        }
      }
      const spot = spots.find(({ inside }) => !inside) ?? spots[0];
      return spot ? [spot.x, spot.y] : null;
    },
  };
}
