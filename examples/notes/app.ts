import { createApp } from 'holdfast'
import { migrations } from './migrations.ts'
import * as notes from './notes.ts'
import * as shares from './shares.ts'
import { vocabulary } from './words.ts'

export default createApp({
  title: 'Notes',
  version: '1.0.0',
  vocabulary,
  routes: [...Object.values(notes), ...Object.values(shares)],
  migrations,
})
