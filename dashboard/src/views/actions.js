// What the operator can do, each after a question. The server writes it into its audit log.
import { api } from '../api.js';
import { field, openDialog } from '../components/dialog.js';
import { h } from '../components/dom.js';
import { icon } from '../components/icon.js';
import { command, name } from '../components/text.js';
import { dateTime } from '../format.js';

/** @import { ViewContext } from './view.js' */
/** @import { Device, Federation } from '../types.js' */

/** Whether the server can do it, and the token was right. @param {Federation | null} federation @param {'stop' | 'devices' | 'invite'} action */
function allowed(federation, action) {
  return Boolean(federation?.actions.includes(action) && federation.may_act);
}

/** Buttons that need the token are not hidden without one: a reader can tell that they exist, and how to get them. */
function locked(/** @type {ViewContext} */ context) {
  return h(
    'button',
    { class: 'button', type: 'button', on: { click: context.askToken } },
    icon('lock'),
    'Enter the token to act',
  );
}

/** @param {ViewContext} context */
export function stopButton(context) {
  const { federation, live } = context.store;
  if (!federation?.live || !live || live.phase === 'finished' || !federation.actions.includes('stop'))
    return null;
  if (!allowed(federation, 'stop')) return locked(context);
  const ask = () =>
    openDialog({
      title: 'Stop after this round?',
      content: [
        h(
          'p',
          {},
          `The aggregator completes round ${context.store.live?.round ?? live.round} and ends. Starting it again continues the run.`,
        ),
      ],
      confirm: 'Stop after this round',
      dangerous: true,
      act: async () => {
        await api.stopAfterRound();
        return [h('p', {}, 'The aggregator ends after this round.')];
      },
    });
  return h(
    'button',
    { class: 'button', type: 'button', on: { click: ask } },
    icon('stop'),
    'Stop after this round',
  );
}

const questions = {
  quarantine: {
    title: 'Quarantine',
    confirm: 'Quarantine',
    text: 'It cannot connect until you release it. Its update of the current round may still count.',
    act: api.quarantine,
  },
  release: { title: 'Release', confirm: 'Release', text: 'It may connect again.', act: api.release },
  revoke: {
    title: 'Revoke',
    confirm: 'Revoke for ever',
    text: 'Its key is refused for ever. To come back, the device has to join again with a new key.',
    act: api.revoke,
  },
};

/** @param {ViewContext} context @param {Device} device @param {() => void} done */
export function deviceButtons(context, device, done) {
  const { federation } = context.store;
  if (!federation?.actions.includes('devices')) return [];
  if (!allowed(federation, 'devices')) return [locked(context)];
  const quarantined = device.state === 'quarantined';
  const refused = ['revoked', 'denied', 'removed'].includes(device.state);
  /** @type {(keyof typeof questions)[]} */
  const possible = refused ? [] : quarantined ? ['release', 'revoke'] : ['quarantine', 'revoke'];
  return possible.map((action) => {
    const { title, confirm, text, act } = questions[action];
    const ask = () =>
      openDialog({
        title: `${title} this device?`,
        content: [
          h('p', {}, name(device.name), ': ', text),
          action !== 'release' &&
            field(
              'Reason',
              { name: 'reason', maxlength: '200', autocomplete: 'off' },
              'Optional. It is kept in the audit log.',
            ),
        ],
        confirm,
        dangerous: action === 'revoke',
        act: async (form) => {
          await act(device.name, String(form.get('reason') ?? ''));
          context.store.devicesChanged();
          done();
        },
      });
    return h(
      'button',
      { class: `button ${action === 'revoke' ? 'danger' : ''}`, type: 'button', on: { click: ask } },
      title,
    );
  });
}

/** @param {ViewContext} context */
export function inviteButton(context) {
  const { federation } = context.store;
  if (!federation?.actions.includes('invite')) return null;
  if (!allowed(federation, 'invite')) return locked(context);
  const ask = () =>
    openDialog({
      title: 'Invite devices',
      content: [
        h('p', {}, 'Makes a token with which devices can ask to join. It is shown once.'),
        field(
          'Label',
          { name: 'label', maxlength: '64', autocomplete: 'off' },
          'For people, for example a place. Optional.',
        ),
        field('Devices that may use it', {
          name: 'uses',
          type: 'number',
          min: '1',
          max: '10000',
          value: '1',
          required: true,
        }),
        field('Valid for hours', {
          name: 'hours',
          type: 'number',
          min: '1',
          max: '8760',
          value: '24',
          required: true,
        }),
      ],
      confirm: 'Make the token',
      act: async (form) => {
        const label = String(form.get('label') ?? '').trim();
        const invitation = await api.invite({
          uses: Number(form.get('uses')),
          expires_seconds: 3600 * Number(form.get('hours')),
          ...(label ? { label } : {}),
        });
        return [
          h('p', {}, 'On the device, run:'),
          command(invitation.command),
          h(
            'p',
            {},
            `It expires ${dateTime(invitation.expires)}. Close this dialog when you have copied it: the token is not shown again.`,
          ),
        ];
      },
    });
  return h('button', { class: 'button primary', type: 'button', on: { click: ask } }, 'Invite devices');
}
