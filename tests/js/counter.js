// A widget with all that the loader must offer: initialize, get, set, on, save_changes, send, binary data.
export default {
  initialize({ model }) {
    model.set("started", (model.get("started") ?? 0) + 1);
  },
  render({ model, el }) {
    const button = document.createElement("button");
    const draw = () => {
      const byte = model.get("data")?.getUint8(1) ?? "-";
      button.textContent = `${model.get("n")} of ${byte}, started ${model.get("started")}`;
    };
    button.addEventListener("click", () => {
      model.set("n", model.get("n") + 1);
      model.save_changes();
      model.send({});
    });
    model.on("change:n", draw);
    draw();
    el.append(button);
  },
};
