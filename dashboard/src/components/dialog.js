// Questions before something is done. The browser's own dialog keeps the focus inside and gives it back.
import { fill, h } from './dom.js';
import { failure } from './text.js';

/** @import { Child } from './dom.js' */

let numbers = 0;

/**
 * @param {object} options
 * @param {string} options.title
 * @param {Child[]} options.content
 * @param {string} options.confirm  what the button does: a verb
 * @param {boolean} [options.dangerous]
 * @param {(form: FormData) => Promise<Child[] | void>} options.act  what it returns is shown in place of the question
 */
export function openDialog({ title, content, confirm, dangerous, act }) {
  const id = `dialog-${++numbers}`;
  const problem = h('div');
  const button = h(
    'button',
    { class: `button ${dangerous ? 'danger' : 'primary'}`, type: 'submit' },
    confirm,
  );
  const close = () => dialog.close();
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    button.disabled = true;
    problem.replaceChildren();
    try {
      const result = await act(new FormData(form));
      if (!result) return close();
      fill(
        form,
        h('h2', { id, tabindex: '-1' }, title),
        result,
        buttons(h('button', { class: 'button primary', type: 'button', on: { click: close } }, 'Close')),
      );
      form.querySelector('h2')?.focus();
    } catch (error) {
      fill(problem, failure(error));
    }
    button.disabled = false;
  };
  const cancel = h('button', { class: 'button', type: 'button', on: { click: close } }, 'Cancel');
  const form = h(
    'form',
    { on: { submit } },
    h('h2', { id }, title),
    content,
    problem,
    buttons(cancel, button),
  );
  const dialog = h('dialog', { class: 'dialog', 'aria-labelledby': id }, form);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {...Child} children */
function buttons(...children) {
  return h('div', { class: 'dialog-buttons' }, ...children);
}

/** A labelled field. @param {string} label @param {Record<string, unknown>} attributes @param {string} [help] */
export function field(label, attributes, help) {
  const id = `field-${++numbers}`;
  const helpId = `${id}-help`;
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    h('input', { id, ...attributes, 'aria-describedby': help ? helpId : undefined }),
    help && h('p', { id: helpId, class: 'hint' }, help),
  );
}
