// The library for X.509 behind the import that it asks for first. Loading it takes a moment, so whoever has no authority does without.

// oxlint-disable-next-line import/no-unassigned-import -- it is there for what it does to Reflect
import 'reflect-metadata'

export * from '@peculiar/x509'
