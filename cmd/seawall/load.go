package main

import (
	"seawall/conf"
	"seawall/logs"
)

// load reads the configuration that the flags name.
func (f *flags) load() (*conf.Config, error) {
	prefix, confFile, err := f.paths()
	if err != nil {
		return nil, err
	}
	return conf.Load(confFile, conf.Options{Prefix: prefix, Globals: f.globals})
}

// errorLogTargets are the main level's error logs; without any, -e's file at nginx's default level.
func (f *flags) errorLogTargets(cfg *conf.Config) []logs.Target {
	if len(cfg.Main.ErrorLogs) == 0 {
		return []logs.Target{{Path: f.errorLog, Level: logs.LevelError}}
	}
	targets := make([]logs.Target, len(cfg.Main.ErrorLogs))
	for i, e := range cfg.Main.ErrorLogs {
		targets[i] = logs.Target{Path: e.Path, Level: logLevel(e.Level)}
	}
	return targets
}

// logLevel turns the configuration's level, counted from 0, into that of package logs.
func logLevel(l conf.LogLevel) logs.Level { return logs.LevelEmerg + logs.Level(l) }

// openErrorLog opens the error log for cfg. Until the server has started, what is serious goes to standard error too.
func (f *flags) openErrorLog(cfg *conf.Config) (*logs.ErrorLog, error) {
	var log *logs.ErrorLog
	registry := logs.NewRegistry(logs.Options{
		Prefix: cfg.Prefix,
		Report: func(level logs.Level, text string) { log.Log(level, 0, text) },
	})
	log, err := logs.NewErrorLog(registry, f.errorLogTargets(cfg)...)
	if err != nil {
		return nil, err
	}
	log.EchoStderr(true)
	return log, nil
}

// noticeText is a notice with its place, worded like an error.
func noticeText(n conf.Notice) string {
	return (&conf.Error{File: n.Pos.File, Line: n.Pos.Line, Text: n.Text}).Error()
}
