// Elements without a framework and without HTML text: children that are strings become text nodes.

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @typedef {{
 *   class?: string, on?: Record<string, (event: any) => void>, style?: Record<string, string>,
 *   [attribute: string]: unknown }} Attributes
 *   class: its classes; on: listeners by event; style: set through the CSSOM, which the content security policy allows;
 *   other names are attributes: true sets an empty one, and false, null and undefined none
 */

/** @param {Element & ElementCSSInlineStyle} element @param {Attributes} attributes */
function apply(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') {
      for (const [event, listener] of Object.entries(attributes.on ?? {}))
        element.addEventListener(event, listener);
    } else if (name === 'style') {
      for (const [property, text] of Object.entries(attributes.style ?? {}))
        element.style.setProperty(property, text);
    } else {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Attributes} [attributes] @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  apply(element, attributes);
  element.append(...nodes(children));
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag @param {Attributes} [attributes] @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  apply(element, attributes);
  element.append(...nodes(children));
  return element;
}

/** @param {(Child | Child[])[]} children @returns {(Node | string)[]} */
function nodes(children) {
  return children.flat().flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    return [typeof child === 'number' ? String(child) : child];
  });
}

/** @param {Element} parent @param {...(Child | Child[])} children */
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
}

/**
 * Like fill(), but children that are equal to the present ones stay, with their focus and what is open in them. The
 * listeners that stay are those of the first drawing, so they must read what they need when they are called.
 * @param {Element} parent @param {...(Child | Child[])} children
 */
export function patch(parent, ...children) {
  const wanted = nodes(children).map((child) =>
    typeof child === 'string' ? document.createTextNode(child) : child,
  );
  wanted.forEach((node, index) => {
    const present = parent.childNodes[index];
    if (!present) parent.append(node);
    else if (!present.isEqualNode(node)) present.replaceWith(node);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild?.remove();
}

/** Changes a text only if it is another one, so that the browser has nothing to do. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {HTMLElement} element @param {string} name */
export function cssColor(element, name) {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

export const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');
