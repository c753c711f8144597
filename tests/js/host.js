// A host of anywidget modules for tests: `await mount(source, css, states)` draws one view for each state, each with
// a model of its own, and leaves `models`, `unmount` and `module` (the module's exports) on the window.
class Model {
  constructor(state) {
    this.state = state;
    this.listeners = [];
  }
  get(name) {
    return this.state[name];
  }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const [event, callback] of [...this.listeners]) if (event === `change:${name}`) callback();
  }
  save_changes() {}
  send() {} // no kernel answers
  on(event, callback) {
    this.listeners.push([event, callback]);
  }
  off(event, callback) {
    this.listeners = this.listeners.filter(([name, other]) => name !== event || other !== callback);
  }
}

window.mount = async (source, css, states) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  window.module = await import(url);
  URL.revokeObjectURL(url);
  document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  window.ledger?.start();
  window.models = states.map((state) => new Model(state));
  window.unmount = window.models.map((model) => {
    const el = document.body.appendChild(document.createElement("div"));
    return window.module.default.render({ model, el });
  });
  // Each view draws itself again when it learns its width: not in the midst of a test.
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
};
